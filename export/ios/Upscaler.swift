import CoreGraphics
import Foundation
import TensorFlowLite

/// Enlarges a picture of any size, tile by tile, with a `.tflite` file from the app's bundle.
final class Upscaler {
  /// Where a tile is along a side, and from where to where it is used.
  struct Place {
    let start: Int, from: Int, to: Int
  }

  private let interpreter: Interpreter
  private let tile: Int, scale: Int, margin: Int

  /// `margin`: how many pixels at the edges of a tile are not used.
  init(named name: String, margin: Int) throws {
    guard let path = Bundle.main.path(forResource: name, ofType: "tflite") else {
      throw CocoaError(.fileNoSuchFile)
    }
    interpreter = try Interpreter(modelPath: path)
    try interpreter.allocateTensors()
    tile = try interpreter.input(at: 0).shape.dimensions[1]
    scale = try interpreter.output(at: 0).shape.dimensions[1] / tile
    self.margin = margin
  }

  /// All tiles are inside of the picture, and none is used up to an edge that is not the picture's.
  static func places(_ length: Int, tile: Int, margin: Int) -> [Place] {
    let step = tile - 2 * margin
    let number = 1 + max(0, (length - tile + step - 1) / step)
    return (0..<number).map { i in
      Place(
        start: max(0, min(i * step, length - tile)),
        from: i == 0 ? 0 : i * step + margin,
        to: i == number - 1 ? length : (i + 1) * step + margin)
    }
  }

  /// Call it off the main thread. `progress` gets how much is done, and stops it by `false`.
  func enlarge(_ picture: CGImage, progress: (Double) -> Bool = { _ in true }) throws -> CGImage? {
    let (width, height) = (picture.width, picture.height)
    guard let taken = Self.context(width, height), let made = Self.context(width * scale, height * scale)
    else { return nil }
    taken.draw(picture, in: CGRect(x: 0, y: 0, width: width, height: height))
    let rows = Self.places(height, tile: tile, margin: margin)
    let columns = Self.places(width, tile: tile, margin: margin)
    for (number, row) in rows.enumerated() {
      for column in columns { try draw(from: taken, to: made, column, row) }
      if !progress(Double(number + 1) / Double(rows.count)) { return nil }
    }
    return made.makeImage()
  }

  /// RGBA, 8 bits each, the first row first.
  private static func context(_ width: Int, _ height: Int) -> CGContext? {
    CGContext(
      data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width,
      space: CGColorSpaceCreateDeviceRGB(),
      bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
  }

  private func draw(from taken: CGContext, to made: CGContext, _ column: Place, _ row: Place) throws {
    let pixels = taken.data!.assumingMemoryBound(to: UInt8.self)
    var values = [Float](repeating: 0, count: tile * tile * 3)
    for y in 0..<tile {
      for x in 0..<tile {
        // What is beyond a picture that is smaller than a tile repeats its edge.
        let (across, down) = (min(column.start + x, taken.width - 1), min(row.start + y, taken.height - 1))
        for channel in 0..<3 {
          let level = pixels[4 * (down * taken.width + across) + channel]
          values[3 * (y * tile + x) + channel] = Float(level) / 127.5 - 1
        }
      }
    }
    try interpreter.copy(values.withUnsafeBytes { Data($0) }, toInputAt: 0)
    try interpreter.invoke()
    let data = try interpreter.output(at: 0).data  // floats in [-1, 1], row by row, channels last
    let output = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let result = made.data!.assumingMemoryBound(to: UInt8.self)
    for y in (row.from * scale)..<(row.to * scale) {
      for x in (column.from * scale)..<(column.to * scale) {
        let place = 3 * ((y - row.start * scale) * tile * scale + x - column.start * scale)
        for channel in 0..<3 {
          let value = min(max(output[place + channel], -1), 1)
          result[4 * (y * made.width + x) + channel] = UInt8(((value + 1) * 127.5).rounded())
        }
      }
    }
  }
}
