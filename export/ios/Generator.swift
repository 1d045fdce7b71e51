import CoreGraphics
import Foundation
import TensorFlowLite

/// Draws images from latents, with a `.tflite` file from the app's bundle.
final class Generator {
  private let interpreter: Interpreter

  init(named name: String) throws {
    guard let path = Bundle.main.path(forResource: name, ofType: "tflite") else {
      throw CocoaError(.fileNoSuchFile)
    }
    interpreter = try Interpreter(modelPath: path)
    try interpreter.allocateTensors()
  }

  /// A new image at every call.
  func image() throws -> CGImage? {
    let latentDim = try interpreter.input(at: 0).shape.dimensions[1]
    let latents = (0..<latentDim).map { _ in Self.normal() }
    try interpreter.copy(latents.withUnsafeBytes { Data($0) }, toInputAt: 0)
    try interpreter.invoke()

    let output = try interpreter.output(at: 0)  // floats in [-1, 1], row by row, channels last
    let (height, width) = (output.shape.dimensions[1], output.shape.dimensions[2])
    let channels = output.shape.dimensions[3]
    let values = output.data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let bytes = values.map { UInt8(((min(max($0, -1), 1) + 1) * 127.5).rounded()) }
    guard let provider = CGDataProvider(data: Data(bytes) as CFData) else { return nil }
    return CGImage(
      width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 8 * channels,
      bytesPerRow: width * channels,
      space: channels == 1 ? CGColorSpaceCreateDeviceGray() : CGColorSpaceCreateDeviceRGB(),
      bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.none.rawValue), provider: provider,
      decode: nil, shouldInterpolate: false, intent: .defaultIntent)
  }

  /// A standard normal number (Box and Muller).
  private static func normal() -> Float {
    let radius = sqrt(-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1)))
    return Float(radius * cos(2 * Double.pi * Double.random(in: 0..<1)))
  }
}
