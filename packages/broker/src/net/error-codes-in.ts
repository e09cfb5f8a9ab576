/** Every error code in a response, at whatever depth: what `kafka_network_requestmetrics_errors_total` counts. */

/** Codes other than NONE, in the order of the response. An empty list means that nothing failed. */
export function errorCodesIn(response: object): readonly number[] {
  const codes: number[] = []
  collect(response, codes)
  return codes
}

function collect(value: object, codes: number[]): void {
  if (Buffer.isBuffer(value)) return
  if (Array.isArray(value)) return collectEach(value as readonly unknown[], codes)
  const fields = value as Readonly<Record<string, unknown>>
  for (const name in fields) {
    const field = fields[name]
    if (typeof field === 'object' && field !== null) collect(field, codes)
    else if (name === 'errorCode' && typeof field === 'number' && field !== 0) codes.push(field)
  }
}

/** Lists hold one kind of thing: one look tells whether the elements may hold codes. */
function collectEach(list: readonly unknown[], codes: number[]): void {
  const first = list[0]
  if (typeof first !== 'object' || first === null || Buffer.isBuffer(first)) return
  for (const element of list) collect(element as object, codes)
}
