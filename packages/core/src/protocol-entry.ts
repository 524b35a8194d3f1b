/**
 * `@genstage/core/protocol`: what stages say to each other, for peers that are no stages of this thread: raw peers in tests, worker
 * threads, other transports (GS-A6, A7).
 */
export type { Address, AskMessage, EventsMessage, ProtocolMessage, SubscribeMessage, ToConsumer, ToProducer } from './protocol.ts'
export { type Peer, peerAddress } from './absent.ts'
export { addressOf } from './stage-ref.ts'
