import { describe, expect, it } from 'vitest'
import { Books } from '../../faults/books.ts'
import type { Line } from '../../faults/ledger.ts'
import type { Tally } from '../../faults/tally.ts'

const job = 'a job'

/** Lines as processes write them: `event token pid`, each a millisecond after the one before. */
function tallyOf(lines: readonly string[], prepare: (books: Books) => void = () => {}): Tally {
  const books = new Books({ heldAtOnce: 1, rescueLimitMs: 50 })
  prepare(books)
  books.read(
    lines.map((line, index): Line => {
      const [event = '', token, pid] = line.split(' ')
      return { at: BigInt(index + 1) * 1_000_000n, event, job, attempt: 1, token: Number(token), pid: Number(pid) }
    }),
  )
  books.finish()
  return books.tally
}

const enqueued = ['enqueue 0 1', 'acked:inserted 0 1']
const firstRun = [...enqueued, 'claimed 1 2', 'start 1 2', 'end 1 2']

describe('the checker of the ledger', () => {
  it('finds nothing in a job that was run and completed', () => {
    expect(tallyOf([...firstRun, 'settling:completed 1 2', 'settled:completed 1 2'])).toMatchObject({
      attempts: 1,
      acknowledged: 1,
      forbiddenDuplicates: 0,
      violations: [],
    })
  })

  it('JOB-5 finds a start after the acknowledged end, whichever line is read first', () => {
    const again = ['claimed 2 3', 'start 2 3']
    expect(tallyOf([...firstRun, 'settled:completed 1 2', ...again]).violations.join()).toContain('JOB-5')
    const seenBefore = tallyOf([...firstRun, ...again], books => books.seenDone(job, 4_500_000n))
    expect(seenBefore.violations.join()).toContain('JOB-5')
  })

  it('JOB-4 finds a second end, and an end by a stale token', () => {
    const ends = ['settled:completed 1 2', 'settled:failed 1 3']
    expect(tallyOf([...firstRun, ...ends]).violations.join()).toContain(
      'JOB-4: job a job was completed, and then settled as failed',
    )
    expect(tallyOf([...firstRun, 'claimed 2 3', 'settled:completed 1 2']).violations.join()).toContain('stale')
  })

  it('JOB-6 finds a second run beside one that lives, and allows it after a death, a retry, a lost lease', () => {
    const second = ['claimed 2 3', 'start 2 3', 'settled:completed 2 3']
    expect(tallyOf([...firstRun, ...second])).toMatchObject({ forbiddenDuplicates: 1 })
    const dead = tallyOf([...firstRun, ...second], books => books.struck(2, 5_500_000n))
    expect(dead).toMatchObject({ forbiddenDuplicates: 0, allowedDuplicates: 1, violations: [] })
    expect(tallyOf([...firstRun, 'settled:retry 1 2', ...second])).toMatchObject({ allowedDuplicates: 0, violations: [] })
    const stale = tallyOf([...firstRun, ...second, 'refused:completed 1 2'])
    expect(stale).toMatchObject({ allowedDuplicates: 1, staleRefused: 1, violations: [] })
  })

  it('JOB-6 finds more repeated runs than the dead had held', () => {
    const books = new Books({ heldAtOnce: 1 })
    books.struck(2, 1n)
    const line = (event: string, of: string, token: number, pid: number): Line => ({
      at: 2n,
      event,
      job: of,
      attempt: 1,
      token,
      pid,
    })
    for (const of of ['a', 'b'])
      books.read([line('start', of, 1, 2), line('end', of, 1, 2), line('start', of, 2, 3), line('settled:completed', of, 2, 3)])
    books.finish()
    expect(books.tally.violations.join()).toContain('JOB-6: 2 handlers ran to their end twice')
  })

  it('JOB-8 measures from the death to the rescue, and finds one that came too late', () => {
    const lines = [...enqueued, 'claimed 1 2', 'start 1 2', 'rescued:waiting 0 3']
    const inTime = tallyOf(lines, books => books.struck(2, 4_000_000n))
    expect(inTime).toMatchObject({ recovered: 1, rescueMs: [1], violations: [] })
    const late = tallyOf(lines, books => books.struck(2, -60_000_000n))
    expect(late.violations.join()).toContain('JOB-8')
  })
})
