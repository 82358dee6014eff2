/**
 * The one error of this room.
 *
 * @module
 */

/**
 * A page that could not be read. `message` is for the model and whoever reads
 * along: it names nothing of the network the model did not name itself.
 */
export class WebError extends Error {
  override name = "WebError";
}
