/** What a check needs is not there; that is told by the check of what is missing. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}
