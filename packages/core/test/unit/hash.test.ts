import { describe, expect, it } from 'vitest'
import { stableHash } from '../../src/hash.ts'

/** The same text as `text`, made of other parts, so that nothing but its units can be the same. */
const rebuilt = (text: string): string => [...text].map(unit => unit).join('')

/** How many of `values` fall on each of `count` places. */
function spread(values: readonly unknown[], count: number): readonly number[] {
  const places = Array.from({ length: count }, () => 0)
  for (const value of values) {
    const place = (stableHash(value) ?? 0) % count
    places[place] = (places[place] ?? 0) + 1
  }
  return places
}

describe('stableHash', () => {
  // Written down once: a change here moves every event of every user to another partition
  it.each<[value: unknown, hash: number]>([
    [0, 0],
    [1, 2_592_644_834],
    [-1, 1_956_350_069],
    [2, 1_869_769_532],
    [42, 2_050_405_720],
    [0.5, 113_545_287],
    [1e300, 980_883_385],
    [Number.MAX_SAFE_INTEGER, 3_231_522_231],
    [Infinity, 3_930_186_649],
    [-Infinity, 3_623_352_299],
    [NaN, 1_463_394_195],
    ['', 2_872_998_923],
    ['a', 444_641_715],
    ['b', 2_193_908_274],
    ['genstage', 4_000_589_658],
    ['ä€𝄞', 2_525_245_470],
    ['1', 1_428_125_071],
    [0n, 2_967_012_434],
    [1n, 3_682_226_048],
    [-1n, 2_256_556_916],
    [12345678901234567890n, 2_686_717_806],
    [true, 3_651_860_435],
    [false, 1_738_713_326],
  ])('GS-J15 gives %o the hash %i, in every run and on every machine', (value, hash) => {
    expect(stableHash(value)).toBe(hash)
  })

  it('GS-J15 gives equal values equal hashes', () => {
    expect(stableHash(0.1 + 0.2)).toBe(stableHash(0.30000000000000004))
    expect(stableHash(rebuilt('a rather long text, put together again'))).toBe(
      stableHash('a rather long text, put together again'),
    )
    expect(stableHash(BigInt('123456789012345678901'))).toBe(stableHash(123456789012345678901n))
  })

  it('GS-J15 gives 0 and -0 one hash, because they are equal', () => {
    expect(stableHash(-0)).toBe(stableHash(0))
  })

  it('GS-J15 gives a computed NaN the hash of NaN, on every processor', () => {
    const [infinity = 0, zero = 0] = [Infinity, 0]
    for (const computed of [infinity - infinity, zero / zero, Math.sqrt(zero - 1), Number('no number')]) {
      expect(stableHash(computed)).toBe(stableHash(NaN))
    }
  })

  it('GS-J15 gives a NaN from elsewhere the hash of NaN, whatever its bits', () => {
    const bits = new DataView(new ArrayBuffer(8))
    for (const high of [0x7ff80000, 0xfff80000, 0x7ff80001]) {
      bits.setUint32(0, high)
      bits.setUint32(4, 1)
      expect(stableHash(bits.getFloat64(0))).toBe(stableHash(NaN))
    }
  })

  it('GS-J15 tells values of different types apart', () => {
    const hashes = [1, '1', 1n, true].map(stableHash)
    expect(new Set(hashes).size).toBe(4)
  })

  it('gives 32 bits without sign', () => {
    for (let index = 0; index < 2_000; index++) {
      for (const value of [index, -index, index / 7, `text ${index}`, BigInt(index)]) {
        const hash = stableHash(value) ?? -1
        expect(hash === hash >>> 0, String(value)).toBe(true)
      }
    }
  })

  it.each([[undefined], [null], [{}], [[]], [() => 1], [Symbol('s')], [new Date(0)]])(
    'has none for %o, which is no plain value',
    value => {
      expect(stableHash(value)).toBeUndefined()
    },
  )

  it.each([
    ['whole numbers', (index: number): unknown => index],
    ['multiples of 1024', (index: number): unknown => index * 1_024],
    ['fractions', (index: number): unknown => index / 3],
    ['texts that differ at the end', (index: number): unknown => `order-${index}`],
    ['texts that differ at the beginning', (index: number): unknown => `${index}-order`],
    ['big integers', (index: number): unknown => BigInt(index) * 10n ** 20n],
  ])('GS-H12 spreads %s evenly over any number of partitions', (_what, make) => {
    const values = Array.from({ length: 20_000 }, (_, index) => make(index))
    for (const count of [2, 3, 4, 8, 10, 16]) {
      const expected = values.length / count
      // Six standard deviations of a fair draw: a good hash never leaves them
      const tolerance = 6 * Math.sqrt(expected)
      for (const place of spread(values, count)) expect(Math.abs(place - expected)).toBeLessThan(tolerance)
    }
  })
})
