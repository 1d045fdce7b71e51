import android.content.res.AssetManager
import android.graphics.Bitmap
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import java.util.Random
import kotlin.math.roundToInt

/** Draws an image from a seed, with a `.tflite` file from the app's assets. */
class Generator(
  assets: AssetManager,
  file: String,
  private val latentDim: Int,
  private val side: Int,
) : AutoCloseable {

  private val model =
    CompiledModel.create(assets, file, CompiledModel.Options(Accelerator.CPU))
  private val inputs = model.createInputBuffers()
  private val outputs = model.createOutputBuffers()

  /** Not the image that Python draws from this seed: the random numbers are Java's. */
  fun image(seed: Long): Bitmap {
    val random = Random(seed)
    inputs[0].writeFloat(FloatArray(latentDim) { random.nextGaussian().toFloat() })
    model.run(inputs, outputs)
    val values = outputs[0].readFloat() // in [-1, 1], row by row, channels last
    val channels = values.size / (side * side)
    val pixels = IntArray(side * side) { pixel ->
      fun level(channel: Int): Int {
        val value = values[pixel * channels + channel % channels]
        return ((value.coerceIn(-1f, 1f) + 1f) * 127.5f).roundToInt()
      }
      (0xFF shl 24) or (level(0) shl 16) or (level(1) shl 8) or level(2)
    }
    return Bitmap.createBitmap(pixels, side, side, Bitmap.Config.ARGB_8888)
  }

  override fun close() {
    (inputs + outputs).forEach { it.close() }
    model.close()
  }
}
