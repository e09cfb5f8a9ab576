const SOFTWARE_WORD = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** What a client may call itself or its version (KIP-511). */
export function isClientSoftwareWord(text: string): boolean {
  return SOFTWARE_WORD.test(text)
}
