/**
 * Everything of one owner as one JSON document, a chat at a time: however much
 * there is, no more than one chat is in memory.
 *
 * @module
 */
import type { ExportedChat } from "../runs/mod.ts";

/**
 * The document `{version, exported_at, chats}`. A store that fails on the way
 * breaks the connection off: half an export never looks like a whole one.
 *
 * @param exportedAt ISO 8601.
 * @throws what reading the first chat throws, while it can still be told.
 */
export async function exportBody(
  chats: AsyncGenerator<ExportedChat>,
  exportedAt: string,
): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  let next: IteratorResult<ExportedChat> | null = await chats.next();
  let before = `{"version":1,"exported_at":"${exportedAt}","chats":[`;

  return new ReadableStream({
    async pull(controller) {
      const { done, value } = next ?? await chats.next();
      next = null;
      if (done) {
        const head = before === BETWEEN ? "" : before;
        controller.enqueue(encoder.encode(`${head}]}\n`));
        return controller.close();
      }
      controller.enqueue(encoder.encode(before + JSON.stringify(value)));
      before = BETWEEN;
    },
    async cancel() {
      await chats.return(undefined);
    },
  }, { highWaterMark: 0 });
}

const BETWEEN = ",\n";
