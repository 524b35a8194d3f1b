import type { Claimed, Store } from '../../src/store.ts'
import { faultyStore } from '../../src/testing/faulty-store.ts'
import type { LedgerWriter } from '../ledger.ts'
import type { Tokens } from './tokens.ts'

/** The store, with a line in the ledger for everything that it has taken or given. */
export function witnessedStore(store: Store, ledger: LedgerWriter, tokens: Tokens): Store {
  const witnessed = (claimed: Claimed): Claimed => {
    for (const job of claimed.jobs) {
      tokens.claimed(job)
      ledger.write('claimed', { job: job.id, attempt: job.attempt, token: job.token })
    }
    return claimed
  }
  return {
    // A plain object, whose methods can be taken one by one
    ...faultyStore(store, {}),
    claim: async request => witnessed(await store.claim(request)),
    async settle(settlements, next) {
      for (const { seq, token, to } of settlements) ledger.write(`settling:${to}`, { job: tokens.idOf(seq), token })
      const settled = await store.settle(settlements, next)
      for (const [index, { seq, token, to }] of settlements.entries()) {
        const answer = settled.accepted[index] === true ? 'settled' : 'refused'
        ledger.write(`${answer}:${to}`, { job: tokens.idOf(seq), token })
      }
      if (settled.claimed !== undefined) witnessed(settled.claimed)
      return settled
    },
    async rescue(request) {
      const rescued = await store.rescue(request)
      for (const { id, state } of rescued.jobs) ledger.write(`rescued:${state}`, { job: id })
      return rescued
    },
  }
}
