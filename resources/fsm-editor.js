/* global $, RED */

import { check } from './fsm-check.js';
import { Diagram } from './fsm-diagram.js';
import { parsed, placesOf } from './json-places.js';

const TYPING_PAUSE_MS = 250;
const MIN_HEIGHT_PX = 320;
const MARKERS = 'skull-fsm';

/** Path and JSON pointer of each state, in the order in which the runtime numbers them in its drawing: a state, then what is in it. */
function statesOf({ states }, path = '', pointer = '') {
  return Object.entries(states ?? {}).flatMap(([name, state]) => {
    const inner = `${pointer}/states/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [{ path: path + name, pointer: inner }, ...statesOf(state ?? {}, `${path}${name}.`, inner)];
  });
}

/** The edit dialog of a skull-fsm node: the definition as JSON, drawn beside it, checked as it is typed, live where it runs. */
export class FsmEditor {
  #node;
  #code;
  #diagram;
  #places = placesOf('{}');
  #states = [];
  #timer;
  #turn = 0;
  #live;
  #endLive;

  constructor(node) {
    this.#node = node;
    const { definition, config } = node;
    $('#node-input-fsm-config').typedInput({ type: 'json', types: ['json'] });
    $('#node-input-fsm-config').typedInput('value', typeof config === 'string' ? config : JSON.stringify(config ?? {}));

    this.#code = RED.editor.createEditor({
      id: 'node-input-definition-editor',
      mode: 'ace/mode/json',
      value: typeof definition === 'string' ? definition : JSON.stringify(definition, null, 2),
      minimap: { enabled: false },
    });
    this.#diagram = new Diagram($('#node-input-fsm-diagram'), (path) => {
      const state = this.#states.find((each) => each.path === path);
      if (state !== undefined) this.#goto(this.#places.find(state.pointer));
    });
    this.#code.getSession().on('change', () => this.#typed());
    $('#node-input-fsm-issues').on('click', 'button', (event) => this.#goto($(event.currentTarget).data('place')));
    $('#node-input-fsm-zoom').on('click', () => this.#diagram.toggleWhole());
    this.#tabs();
    this.#endLive = this.#follow();
    this.#read();
  }

  /** What the dialog's own inputs do not keep: text that is not JSON is kept as it is, so that nothing typed is lost. */
  values() {
    const config = $('#node-input-fsm-config').typedInput('value');
    return { definition: parsed(this.#code.getValue()), config: parsed(config) };
  }

  resize({ height }) {
    const rows = $('#dialog-form > .form-row').toArray();
    const taken = rows.reduce((sum, row) => sum + $(row).outerHeight(true), 0);
    $('#skull-fsm-tab-chart').css('height', `${Math.max(MIN_HEIGHT_PX, height - taken)}px`);
    this.#code.resize();
  }

  close() {
    clearTimeout(this.#timer);
    this.#turn++;
    this.#endLive();
    this.#diagram.close();
    this.#code.destroy();
  }

  #tabs() {
    const tabs = RED.tabs.create({
      id: 'node-input-fsm-tabs',
      onchange: ({ id }) => {
        $('#skull-fsm-tab-chart, #skull-fsm-tab-settings').hide();
        // What is laid out as flex must not become a block again, as show() would make it.
        $(`#${id}`).css('display', '');
        RED.tray.resize();
      },
    });
    tabs.addTab({ id: 'skull-fsm-tab-chart', iconClass: 'fa fa-sitemap', label: this.#_('tab.chart') });
    tabs.addTab({ id: 'skull-fsm-tab-settings', iconClass: 'fa fa-sliders', label: this.#_('tab.settings') });
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), TYPING_PAUSE_MS);
  }

  #_(key, values) {
    return this.#node._(`skull-fsm.${key}`, values);
  }

  async #read() {
    const turn = ++this.#turn;
    const text = this.#code.getValue();
    const places = placesOf(text);
    this.#places = places;
    if (places.fault !== undefined) {
      const { code, found, offset } = places.fault;
      this.#show([{ level: 'error', message: this.#_(`json.${code}`, { found }), ...places.at(offset) }]);
      this.#diagram.stale();
      return;
    }
    const definition = JSON.parse(text);
    try {
      const { issues, warnings, mermaid } = await check(definition);
      if (turn !== this.#turn) return;
      const placed = (level) => (issue) => ({ level, ...issue, ...places.find(issue.path) });
      this.#show([...issues.map(placed('error')), ...(warnings ?? []).map(placed('warning'))]);
      if (mermaid) {
        this.#states = statesOf(definition);
        this.#diagram.draw(
          mermaid,
          this.#states.map(({ path }) => path),
        );
      } else this.#diagram.stale();
      this.#showLive();
    } catch {
      if (turn === this.#turn)
        this.#show([{ level: 'warning', message: this.#_('error.noAnswer'), line: 1, column: 1 }]);
    }
  }

  /** @param {{level: 'error'|'warning', path?: string, message: string, line: number, column: number}[]} issues */
  #show(issues) {
    const items = issues.map(({ level, path, message, line, column }) =>
      $('<li>').append(
        $('<button type="button">')
          .addClass(`skull-fsm-${level}`)
          .data('place', { line, column })
          .append(
            $('<i class="fa">').addClass(level === 'error' ? 'fa-times-circle' : 'fa-exclamation-triangle'),
            $('<span class="skull-fsm-line">').text(this.#_('label.line', { line })),
            $('<span class="skull-fsm-message">').text(message),
            path ? $('<code>').text(path) : '',
          ),
      ),
    );
    const fine = $('<li class="skull-fsm-fine">').append(
      $('<i class="fa fa-check">'),
      $('<span>').text(this.#_('label.fine')),
    );
    $('#node-input-fsm-issues')
      .empty()
      .append(items.length > 0 ? items : fine);
    this.#underline(issues);
  }

  // Only Monaco has markers of ours; in the other editors the list below says it all.
  #underline(issues) {
    const model = this.#code.getModel?.();
    if (!model || !globalThis.monaco) return;
    const markers = issues.map(({ level, message, line, column }) => {
      const word = model.getWordAtPosition({ lineNumber: line, column: column + 1 });
      return {
        severity: level === 'error' ? 8 : 4,
        message,
        startLineNumber: line,
        startColumn: column,
        endLineNumber: line,
        endColumn: word?.endColumn ?? model.getLineMaxColumn(line),
      };
    });
    globalThis.monaco.editor.setModelMarkers(model, MARKERS, markers);
  }

  #goto({ line, column }) {
    if (this.#code.revealLineInCenter) {
      this.#code.setPosition({ lineNumber: line, column });
      this.#code.revealLineInCenter(line);
    } else {
      this.#code.gotoLine(line, column - 1);
    }
    this.#code.focus();
  }

  /** Keeps the mark on the state of the deployed node. Returns the function that ends it. */
  #follow() {
    const topic = `skull-fsm/state/${this.#node.id}`;
    const moved = (_topic, { state }) => {
      this.#live = state;
      this.#showLive();
    };
    RED.comms.subscribe(topic, moved);
    $.getJSON(topic, ({ state }) => {
      this.#live ??= state;
      this.#showLive();
    }).fail(() => this.#showLive());
    return () => RED.comms.unsubscribe(topic, moved);
  }

  #showLive() {
    const state = this.#live;
    this.#diagram.mark(state);
    const key =
      state === undefined
        ? 'live.none'
        : this.#states.some(({ path }) => path === state)
          ? 'live.state'
          : 'live.elsewhere';
    $('#node-input-fsm-live')
      .toggleClass('skull-fsm-alive', state !== undefined)
      .find('span')
      .text(this.#_(key, { state }));
  }
}
