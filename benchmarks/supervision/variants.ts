/** The ways to run one workload that are compared. */
export const variants = {
  bare: 'no telemetry, no supervisor',
  telemetry: 'telemetry that nobody listens to',
  supervised: 'the same, under a supervisor',
  listened: 'telemetry with a listener that counts',
} as const

export type VariantId = keyof typeof variants

export const variantIds = Object.keys(variants) as readonly VariantId[]

export function isVariantId(id: string): id is VariantId {
  return id in variants
}

/** What one thing costs: the same workload with it and without it. */
export interface Comparison {
  readonly what: string
  readonly with: VariantId
  readonly without: VariantId
}

/** Every comparison in the order of the table. */
export const comparisons: readonly Comparison[] = [
  { what: 'telemetry that nobody listens to', with: 'telemetry', without: 'bare' },
  { what: 'supervision', with: 'supervised', without: 'telemetry' },
  { what: 'both', with: 'supervised', without: 'bare' },
  { what: 'a listener that counts what was handled', with: 'listened', without: 'telemetry' },
]
