declare const brand: unique symbol

/** A `T` that cannot be confused with another `T`: an offset is not an epoch though both are numbers. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
