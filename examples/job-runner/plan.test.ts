import { describe, expect, test } from 'vitest'
import { DiskError, reach, slownessOf } from './disk.ts'
import { idOf, planOf, troubleOf } from './plan.ts'
import type { Trouble } from './plan.ts'

const paths = Array.from({ length: 20_000 }, (_, n) => `folder-${n % 70}/file-${n}.md`)

describe('the plan', () => {
  test('gives a file the same trouble each time, and most files none', () => {
    const counts = new Map<Trouble, number>()
    for (const path of paths) {
      expect(troubleOf(path)).toBe(troubleOf(path))
      counts.set(troubleOf(path), (counts.get(troubleOf(path)) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(['broken', 'flaky', 'late', 'none', 'slow', 'stuck'])
    expect(counts.get('none')).toBeGreaterThan(16_000)
    for (const count of counts.values()) expect(count).toBeGreaterThan(40)
  })

  test('chooses the queue by the disk, then by the size; late files come later', () => {
    expect(planOf('a', 100, 'none')).toEqual({ queue: 'small', delayMs: 0 })
    expect(planOf('a', 1e6, 'flaky')).toEqual({ queue: 'large', delayMs: 0 })
    expect(planOf('a', 1e6, 'slow')).toEqual({ queue: 'slow', delayMs: 0 })
    const { queue, delayMs } = planOf('a', 1, 'late')
    expect(queue).toBe('small')
    expect(delayMs).toBeGreaterThanOrEqual(2_000)
    expect(delayMs).toBeLessThan(10_000)
  })

  test('names jobs by their files: the same id for the same, another for another', () => {
    expect(idOf('/a', 'b')).toBe(idOf('/a', 'b'))
    expect(new Set(paths.map(path => idOf('/a', path))).size).toBe(paths.length)
    expect(idOf('/a', 'b')).not.toBe(idOf('/a/b'))
    expect(idOf('/a', 'b')).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/)
  })
})

describe('the disk', () => {
  const access = (path: string, attempt: number, signal = new AbortController().signal) => {
    const told: number[] = []
    return { path, attempt, signal, waitedMs: 0, waited: (ms: number) => told.push(ms), told }
  }
  const tries = async (trouble: Trouble, path: string): Promise<readonly string[]> => {
    const answers = [1, 2, 3].map(attempt =>
      reach(trouble, access(path, attempt)).then(
        () => 'read',
        (error: unknown) => (error instanceof DiskError ? error.code : String(error)),
      ),
    )
    return Promise.all(answers)
  }

  test('fails once or twice where it is flaky, always where it is broken, else never', async () => {
    const seen = new Set<string>()
    for (const path of paths.slice(0, 50)) seen.add((await tries('flaky', path)).join(' '))
    expect([...seen].sort()).toEqual(['EIO EIO read', 'EIO read read'])
    expect(await tries('broken', 'a')).toEqual(['EIO', 'EIO', 'EIO'])
    expect(await tries('none', 'a')).toEqual(['read', 'read', 'read'])
    expect(await tries('late', 'a')).toEqual(['read', 'read', 'read'])
  })

  test('does not answer where it is stuck, until the signal says so; the next time it does', async () => {
    const giveUp = new AbortController()
    const stuck = reach('stuck', access('a', 1, giveUp.signal))
    giveUp.abort(new Error('too long'))
    await expect(stuck).rejects.toMatchObject({ name: 'AbortError' })
    await reach('stuck', access('a', 2))
  })

  test('takes its time where it is slow, tells how far it is, and goes on from there', async () => {
    const path = paths.find(each => slownessOf(each) === 500) ?? ''
    const first = access(path, 1)
    await reach('slow', first)
    expect(first.told).toEqual([250, 500])
    const second = access(path, 2)
    await reach('slow', { ...second, waitedMs: 250 })
    expect(second.told).toEqual([500])
  })
})
