/** Writes when there is room, and never past the desired size; resolves when the stream has taken all. */
export async function writeAll<T>(writer: WritableStreamDefaultWriter<T>, events: readonly T[]): Promise<void> {
  let last: Promise<void> | undefined
  for (const event of events) {
    // To look costs less than a promise
    if (writer.desiredSize === null || writer.desiredSize <= 0) await writer.ready
    last = writer.write(event)
    // Its failure is that of the stream, which `ready` and the last one tell of
    last.catch(() => {})
  }
  await last
}
