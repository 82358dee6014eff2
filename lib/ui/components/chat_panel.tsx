import { useEffect, useMemo, useRef } from "preact/hooks";
import { MAX_SYSTEM } from "../../chat/settings.ts";
import type { SettingsDoor } from "../chat_settings.ts";
import { panelMessages } from "../panel_messages.ts";
import { createPanelModel, type PanelModel } from "../panel_model.ts";
import { count, useWords } from "../words.ts";
import { Icon } from "./icons.tsx";

export interface ChatPanelProps {
  settings: SettingsDoor;
  /** What answers where nothing was chosen. */
  standard: string;
  /** The dialog has closed. */
  close(): void;
}

/** A chat's settings. A native dialog: it keeps the focus and gives it back. */
export function ChatPanel({ settings, standard, close }: ChatPanelProps) {
  const words = useWords(panelMessages);
  const dialog = useRef<HTMLDialogElement>(null);
  const panel = useMemo(
    () => createPanelModel(settings.current.peek(), settings),
    [],
  );
  useEffect(() => {
    dialog.current!.showModal();
    panel.fetchModels();
  }, []);
  const refused = panel.refused.value;
  const off = panel.saving.value || panel.left.value < 0;

  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby="panel-title"
      data-testid="chat-panel"
      onClose={close}
      onClick={({ target }) => {
        // Beside it; but never over what was begun.
        if (target === dialog.current && !panel.changed.peek()) {
          dialog.current!.close();
        }
      }}
    >
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          if (await panel.save()) dialog.current?.close();
        }}
      >
        <header>
          <h2 id="panel-title" tabIndex={-1} autofocus>{words.title}</h2>
          <button
            type="button"
            class="icon-button"
            aria-label={words.close}
            data-testid="panel-close"
            onClick={() => dialog.current!.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        <div class="panel-body">
          <Models panel={panel} standard={standard} />
          <Temperature panel={panel} />
          <SystemPrompt panel={panel} />
        </div>
        <footer>
          {refused === null
            ? panel.left.value < 0
              ? <p class="wrong">{words.tooLong(count(-panel.left.value))}</p>
              : <p>{words.note}</p>
            : (
              <p class="wrong" role="alert" data-testid="panel-refused">
                {words.refused} {refused}
              </p>
            )}
          <button
            type="submit"
            class="button main"
            aria-disabled={off}
            data-testid="panel-save"
          >
            {panel.saving.value ? words.saving : words.save}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

function Models({ panel, standard }: { panel: PanelModel; standard: string }) {
  const words = useWords(panelMessages);
  const models = panel.models.value;
  const chosen = panel.model.value;
  const groups = panel.groups.value;
  const offered = groups.some(({ models }) =>
    models.some(({ id }) => id === chosen)
  );
  const usual = models === null || models === "failed"
    ? standard
    : models.standard;
  const named = (from: string) =>
    Object.hasOwn(words.from, from) ? words.from[from] : from;
  return (
    <fieldset>
      <legend>{words.model}</legend>
      <div class="choices">
        {panel.searchable.value && (
          <input
            type="search"
            aria-label={words.search}
            placeholder={words.search}
            autocomplete="off"
            data-testid="model-search"
            value={panel.search.value}
            onInput={(event) => panel.search.value = event.currentTarget.value}
            onKeyDown={(event) =>
              event.key === "Enter" && event.preventDefault()}
          />
        )}
        <Choice
          panel={panel}
          value={null}
          name={usual === "" ? words.standard : words.standardModel(usual)}
        />
        {chosen !== null && !offered && (
          <Choice
            panel={panel}
            value={chosen}
            name={chosen}
            note={models === null ? undefined : words.notOffered}
          />
        )}
        {groups.map(({ from, models }) => (
          <div key={from} role="group" aria-label={named(from)}>
            <h3>{named(from)}</h3>
            {models.map(({ id }) => (
              <Choice key={id} panel={panel} value={id} name={id} />
            ))}
          </div>
        ))}
        {models === null && (
          <p class="none">
            <span class="spinner" /> {words.fetching}
          </p>
        )}
        {(models === "failed" || models?.models.length === 0) && (
          <p class="none" role="alert">
            {models === "failed" ? words.notFetched : words.noModels}{" "}
            <button
              type="button"
              class="button"
              onClick={() =>
                panel.fetchModels()}
            >
              {words.again}
            </button>
          </p>
        )}
        {panel.search.value !== "" && groups.length === 0 && (
          <p class="none">{words.none}</p>
        )}
      </div>
    </fieldset>
  );
}

function Choice(
  { panel, value, name, note }: {
    panel: PanelModel;
    value: string | null;
    name: string;
    note?: string;
  },
) {
  return (
    <label class="choice">
      <input
        type="radio"
        name="model"
        data-testid="model-choice"
        value={value ?? ""}
        checked={panel.model.value === value}
        onChange={() => panel.model.value = value}
      />
      <span>{name}</span>
      {note !== undefined && <small>{note}</small>}
    </label>
  );
}

function Temperature({ panel }: { panel: PanelModel }) {
  const words = useWords(panelMessages);
  const value = panel.temperature.value;
  const said = value === null ? words.standard : value.toFixed(1);
  return (
    <div class="field">
      <div class="field-head">
        <label for="temperature">{words.temperature}</label>
        <output class="digits" for="temperature" data-testid="temperature-said">
          {value === null ? "" : said}
        </output>
      </div>
      <div class="slider">
        <input
          id="temperature"
          type="range"
          min="0"
          max="2"
          step="0.1"
          class={value === null ? "unset" : undefined}
          aria-valuetext={said}
          aria-describedby="temperature-note"
          data-testid="temperature"
          value={value ?? 0}
          onInput={({ currentTarget }) =>
            panel.temperature.value = currentTarget.valueAsNumber}
        />
        <button
          type="button"
          class="button"
          aria-pressed={value === null}
          data-testid="temperature-standard"
          onClick={() => panel.temperature.value = null}
        >
          {words.standard}
        </button>
      </div>
      <small id="temperature-note">{words.temperatureNote}</small>
    </div>
  );
}

function SystemPrompt({ panel }: { panel: PanelModel }) {
  const words = useWords(panelMessages);
  const left = panel.left.value;
  return (
    <div class="field">
      <label for="system">{words.system}</label>
      <textarea
        id="system"
        rows={4}
        dir="auto"
        placeholder={words.systemHint}
        aria-describedby="system-note system-left"
        aria-invalid={left < 0}
        data-testid="system"
        value={panel.system.value}
        onInput={(event) => panel.system.value = event.currentTarget.value}
      />
      <div class="field-head">
        <small id="system-note">{words.systemNote}</small>
        <small id="system-left" class={left < 0 ? "digits wrong" : "digits"}>
          {left < 0
            ? words.tooLong(count(-left))
            : words.left(count(MAX_SYSTEM - left), count(MAX_SYSTEM))}
        </small>
      </div>
    </div>
  );
}
