/**
 * What is used of fast-check 4, which is handed in by who has it. It is written out here, because types that came from fast-check would
 * not compile for users of the other helpers, who need not have it.
 */
export interface FastCheck {
  array<T>(
    each: Arbitrary<T>,
    size: { readonly minLength?: number; readonly maxLength: number; readonly size?: 'max' },
  ): Arbitrary<T[]>
  asyncProperty<T>(arbitrary: Arbitrary<T>, predicate: (value: T) => Promise<void>): Property<[T]>
  boolean(): Arbitrary<boolean>
  check<Values>(
    property: Property<Values>,
    settings: { readonly numRuns: number; readonly seed?: number },
  ): Promise<Checked<Values>>
  constantFrom<const T>(...values: T[]): Arbitrary<T>
  integer(bounds: { readonly min: number; readonly max: number }): Arbitrary<number>
  nat(bounds: { readonly max: number }): Arbitrary<number>
  oneof<T>(...choices: (Arbitrary<T> | Weighed<T>)[]): Arbitrary<T>
  option<T>(arbitrary: Arbitrary<T>, nil: { readonly nil: undefined; readonly freq?: number }): Arbitrary<T | undefined>
  record<T>(members: { [Member in keyof T]: Arbitrary<T[Member]> }): Arbitrary<T>
}

/** Random values of a type. */
export interface Arbitrary<T> {
  generate(random: never, bias: number | undefined): { readonly value: T }
}

/** One of several choices, and how often it is chosen. */
export interface Weighed<T> {
  readonly weight: number
  readonly arbitrary: Arbitrary<T>
}

/** A predicate, and the arbitraries of what it takes. */
interface Property<Values> {
  generate(random: never): { readonly value: Values }
}

/** How a check went. */
interface Checked<Values> {
  readonly failed: boolean
  readonly seed: number
  /** The shortest values that show the failure. */
  readonly counterexample: Values | null
  /** What the predicate has thrown. */
  readonly errorInstance: unknown
}
