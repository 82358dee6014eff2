/**
 * What is drawn once more than one thing was said, fetched together (see
 * `later.ts`).
 *
 * @module
 */
export { QuestionEditor } from "./question_editor.tsx";
export { QueueList } from "./queue_list.tsx";
