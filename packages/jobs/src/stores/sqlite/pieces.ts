/** Rows that go into one JSON text at most. */
const rowsAtOnce = 1_000
/** And so many characters, about: a text of Node has 500 million at most, and is there more than once while it is handed over. */
const charactersAtOnce = 4_000_000

/** Divides rows, in their order, so that the JSON of no piece becomes too long. A row that is longer by itself is a piece. */
export function inPieces<Row>(rows: readonly Row[], charactersOf: (row: Row) => number): readonly (readonly Row[])[] {
  const pieces: Row[][] = []
  let piece: Row[] = []
  let characters = 0
  for (const row of rows) {
    const more = charactersOf(row)
    if (piece.length === rowsAtOnce || (piece.length > 0 && characters + more > charactersAtOnce)) {
      pieces.push(piece)
      piece = []
      characters = 0
    }
    piece.push(row)
    characters += more
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}
