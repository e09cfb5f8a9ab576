/** Works through `items`, `widthMax` at a time. After a failure nothing new begins; it is thrown when all that had begun has ended. */
export async function eachAtOnce<T>(items: Iterable<T>, widthMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    try {
      for (let next = iterator.next(); next.done !== true && failures.length === 0; next = iterator.next()) await work(next.value)
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: widthMax }, worker))
  if (failures.length > 0) throw failures[0]
}
