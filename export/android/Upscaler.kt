import android.content.res.AssetManager
import android.graphics.Bitmap
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt

/**
 * Enlarges a picture of any size, tile by tile, with a `.tflite` file from the app's assets.
 *
 * `tile` is the side of the file's input, `scale` how many times larger its output is, and `margin`
 * how many pixels at the edges of a tile are not used.
 */
class Upscaler(
  assets: AssetManager,
  file: String,
  private val tile: Int,
  private val scale: Int,
  private val margin: Int,
  accelerator: Accelerator = Accelerator.CPU,
) : AutoCloseable {

  private val model = CompiledModel.create(assets, file, CompiledModel.Options(accelerator))
  private val inputs = model.createInputBuffers()
  private val outputs = model.createOutputBuffers()

  /** Where a tile is along a side, and from where to where it is used. */
  private data class Place(val start: Int, val from: Int, val to: Int)

  /** All tiles are inside of the picture, and none is used up to an edge that is not the picture's. */
  private fun places(length: Int): List<Place> {
    val step = tile - 2 * margin
    val number = 1 + max(0, (length - tile + step - 1).floorDiv(step))
    return List(number) { i ->
      Place(
        start = max(0, min(i * step, length - tile)),
        from = if (i == 0) 0 else i * step + margin,
        to = if (i == number - 1) length else (i + 1) * step + margin,
      )
    }
  }

  /** Call it off the main thread. `progress` gets how much is done, and stops it by `false`. */
  fun enlarge(picture: Bitmap, progress: (Float) -> Boolean = { true }): Bitmap? {
    val made =
      Bitmap.createBitmap(
        picture.width * scale, picture.height * scale, Bitmap.Config.ARGB_8888)
    val columns = places(picture.width)
    val rows = places(picture.height)
    for ((number, row) in rows.withIndex()) {
      for (column in columns) draw(picture, made, column, row)
      if (!progress((number + 1f) / rows.size)) return null
    }
    return made
  }

  private fun draw(picture: Bitmap, made: Bitmap, column: Place, row: Place) {
    val wide = min(tile, picture.width)
    val high = min(tile, picture.height)
    val pixels = IntArray(wide * high)
    picture.getPixels(pixels, 0, wide, column.start, row.start, wide, high)
    val values = FloatArray(tile * tile * 3) { i ->
      // What is beyond a picture that is smaller than a tile repeats its edge.
      val x = min(i / 3 % tile, wide - 1)
      val y = min(i / 3 / tile, high - 1)
      val level = pixels[y * wide + x] shr (16 - 8 * (i % 3)) and 0xFF
      level / 127.5f - 1f // in [-1, 1], row by row, channels last
    }
    inputs[0].writeFloat(values)
    model.run(inputs, outputs)
    val output = outputs[0].readFloat()
    val left = (column.from - column.start) * scale
    val top = (row.from - row.start) * scale
    val width = (column.to - column.from) * scale
    val height = (row.to - row.from) * scale
    val used = IntArray(width * height) { pixel ->
      val first = 3 * ((top + pixel / width) * tile * scale + left + pixel % width)
      fun level(channel: Int): Int =
        ((output[first + channel].coerceIn(-1f, 1f) + 1f) * 127.5f).roundToInt()
      (0xFF shl 24) or (level(0) shl 16) or (level(1) shl 8) or level(2)
    }
    made.setPixels(used, 0, width, column.from * scale, row.from * scale, width, height)
  }

  override fun close() {
    (inputs + outputs).forEach { it.close() }
    model.close()
  }
}
