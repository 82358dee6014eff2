/**
 * The panel of a chat's settings: a draft of them, and the models to choose from.
 *
 * @module
 */
import {
  batch,
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals";
import { type ChatSettings, MAX_SYSTEM } from "../chat/settings.ts";
import type { ModelChoice, ModelsView } from "../chat/views.ts";
import type { Result } from "./api.ts";

/** From here on a list of models can be searched. */
const MANY = 12;

/** Models of one server, in its order. */
export interface ModelGroup {
  from: string;
  models: ModelChoice[];
}

export interface PanelModel {
  /** Null is the server's own, also below. */
  readonly model: Signal<string | null>;
  readonly temperature: Signal<number | null>;
  readonly system: Signal<string>;
  readonly search: Signal<string>;
  /** Null while they are being fetched. */
  readonly models: ReadonlySignal<ModelsView | "failed" | null>;
  /** What is left of the models by `search`; the chosen one stays in sight. */
  readonly groups: ReadonlySignal<ModelGroup[]>;
  readonly searchable: ReadonlySignal<boolean>;
  /** Characters the system prompt may still grow by. */
  readonly left: ReadonlySignal<number>;
  readonly changed: ReadonlySignal<boolean>;
  readonly saving: ReadonlySignal<boolean>;
  /** Why saving did not work; "" has no words of the server's. */
  readonly refused: ReadonlySignal<string | null>;
  fetchModels(): Promise<void>;
  /** True once the settings are saved. */
  save(): Promise<boolean>;
}

export interface PanelDoors {
  models(): Promise<Result<ModelsView>>;
  save(settings: ChatSettings): Promise<Result<unknown>>;
}

export function createPanelModel(
  start: ChatSettings,
  doors: PanelDoors,
): PanelModel {
  const model = signal(start.model ?? null);
  const temperature = signal(start.temperature ?? null);
  const system = signal(start.system ?? "");
  const search = signal("");
  const models = signal<ModelsView | "failed" | null>(null);
  const saving = signal(false);
  const refused = signal<string | null>(null);

  const offered = computed(() => {
    const view = models.value;
    return view === null || view === "failed" ? [] : view.models;
  });
  const left = computed(() => MAX_SYSTEM - system.value.trim().length);
  const draft = computed((): ChatSettings => ({
    ...(model.value === null ? {} : { model: model.value }),
    ...(temperature.value === null ? {} : { temperature: temperature.value }),
    ...(system.value.trim() === "" ? {} : { system: system.value.trim() }),
  }));

  return {
    model,
    temperature,
    system,
    search,
    models,
    groups: computed(() =>
      grouped(
        offered.value.filter((choice) =>
          choice.id === model.value || matches(choice, search.value)
        ),
      )
    ),
    searchable: computed(() => offered.value.length > MANY),
    left,
    changed: computed(() =>
      model.value !== (start.model ?? null) ||
      temperature.value !== (start.temperature ?? null) ||
      system.value.trim() !== (start.system ?? "")
    ),
    saving,
    refused,
    async fetchModels() {
      models.value = null;
      const result = await doors.models();
      models.value = result.ok ? result.value : "failed";
    },
    async save() {
      if (saving.peek() || left.peek() < 0) return false;
      batch(() => {
        saving.value = true;
        refused.value = null;
      });
      const result = await doors.save(draft.peek());
      batch(() => {
        saving.value = false;
        refused.value = result.ok ? null : result.detail;
      });
      return result.ok;
    },
  };
}

/** Every word of the search is somewhere in the model's name or its server's. */
function matches({ id, from }: ModelChoice, search: string): boolean {
  const name = `${id} ${from}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => name.includes(word));
}

function grouped(models: ModelChoice[]): ModelGroup[] {
  const groups = new Map<string, ModelChoice[]>();
  for (const model of models) {
    groups.set(model.from, [...groups.get(model.from) ?? [], model]);
  }
  return [...groups].map(([from, models]) => ({ from, models }));
}
