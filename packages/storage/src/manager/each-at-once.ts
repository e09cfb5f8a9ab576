/** Works through `items`, `widthMax` at a time. */
export async function eachAtOnce<T>(items: Iterable<T>, widthMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: widthMax }, worker))
}
