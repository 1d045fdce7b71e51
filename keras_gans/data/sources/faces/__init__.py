"""Faces that are drawn, so that everything about them is known: hair, glasses, age, and so on.

They come with `pip install 'keras-gans[faces]'`: the drawings of DiceBear, put together and
painted by Python alone, without a download. What papers on faces judge by eye can be counted here.

- `people`: a person has a value of each attribute, drawn independently. No drawing.
- `avataaars`, `pixel_art`: a person drawn in a style.
- `painting`: from drawings to pixels.
- `sets`: the sources "avatars" and "pixel_faces".
"""
