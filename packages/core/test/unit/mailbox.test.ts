import { describe, expect, it } from 'vitest'
import { ChannelMailbox, FifoMailbox, type Mailbox } from '../../src/mailbox.ts'
import type { Address, StageMessage } from '../../src/protocol.ts'

/** An address as far as a mailbox looks at it. */
const address = (id: string): Address => ({ id }) as Address

const ask = (sender: string, demand: number): StageMessage => ({ type: 'ask', from: address(sender), subscription: 's', demand })
const cast = (message: unknown): StageMessage => ({ type: 'cast', message })

function fill(mailbox: Mailbox, ...messages: readonly StageMessage[]): void {
  for (const message of messages) mailbox.push(message)
}

describe('FifoMailbox', () => {
  it('GS-A1 GS-A2 gives messages of all senders in the order of their arrival', () => {
    const mailbox = new FifoMailbox()
    const messages = [ask('a', 1), cast('x'), ask('b', 2), ask('a', 3)]
    fill(mailbox, ...messages)
    expect(mailbox.length).toBe(4)
    expect(messages.map(() => mailbox.shift())).toEqual(messages)
    expect(mailbox.shift()).toBeUndefined()
  })

  it('GS-A5 puts a message that a stage posts to itself behind those that wait', () => {
    const mailbox = new FifoMailbox()
    fill(mailbox, ask('a', 1), { type: 'settle' })
    expect([mailbox.shift()?.type, mailbox.shift()?.type]).toEqual(['ask', 'settle'])
  })

  it('GS-A8 takes any number of messages', () => {
    const mailbox = new FifoMailbox()
    for (let index = 0; index < 100_000; index++) mailbox.push(cast(index))
    expect(mailbox.length).toBe(100_000)
    expect(mailbox.shift()).toEqual(cast(0))
  })
})

describe('ChannelMailbox', () => {
  it('GS-A2 shows each sender that waits, with the kind of its oldest message', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, ask('a', 1), cast('x'), ask('b', 2), ask('a', 3))
    expect(mailbox.waiting()).toEqual([
      { sender: 'a', message: 'ask' },
      { sender: 'outside', message: 'cast' },
      { sender: 'b', message: 'ask' },
    ])
    expect(mailbox.length).toBe(4)
  })

  it('GS-A2 gives the oldest message of the sender that was chosen, and lets the others be overtaken', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, ask('a', 1), ask('b', 2), ask('b', 3))
    mailbox.next = 'b'
    expect(mailbox.shift()).toMatchObject({ demand: 2 })
    mailbox.next = 'b'
    expect(mailbox.shift()).toMatchObject({ demand: 3 })
    expect(mailbox.waiting()).toEqual([{ sender: 'a', message: 'ask' }])
  })

  it('takes from the sender that waits longest when none was chosen', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, ask('a', 1), ask('b', 2), ask('a', 3))
    expect([mailbox.shift(), mailbox.shift(), mailbox.shift()]).toMatchObject([{ demand: 1 }, { demand: 3 }, { demand: 2 }])
  })

  it('chooses for one message only', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, ask('a', 1), ask('b', 2), ask('b', 3))
    mailbox.next = 'b'
    mailbox.shift()
    expect(mailbox.shift()).toMatchObject({ demand: 1 })
  })

  it('answers undefined when it is empty, or when the chosen sender has nothing', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    expect(mailbox.shift()).toBeUndefined()
    fill(mailbox, ask('a', 1))
    mailbox.next = 'b'
    expect(mailbox.shift()).toBeUndefined()
    expect(mailbox.length).toBe(1)
  })

  it.each<StageMessage>([
    { type: 'settle' },
    { type: 'wake' },
    { type: 'refill', subscription: 's', demand: 1 },
    { type: 'cancelSubscriber', subscription: 's', reason: { type: 'normal' } },
  ])('GS-A5 keeps a $type, which a stage posts to itself, in an order of its own', message => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, cast('x'), message)
    expect(mailbox.waiting()).toEqual([
      { sender: 'outside', message: 'cast' },
      { sender: 'me', message: message.type },
    ])
  })

  it('GS-A2 lets nobody outside overtake the setup', () => {
    const mailbox = new ChannelMailbox({ id: 'me' })
    fill(mailbox, { type: 'setup' }, cast('x'))
    expect(mailbox.waiting()).toEqual([{ sender: 'outside', message: 'setup' }])
    expect([mailbox.shift()?.type, mailbox.shift()?.type]).toEqual(['setup', 'cast'])
  })
})
