/* global $, RED */

// Node-RED decodes a diagram's base64 as Latin-1: what lies beyond is written as one of Mermaid's own entities.
const latin1 = (text) => text.replace(/[^\0-\xff]/gu, (character) => `#${character.codePointAt(0)};`);

/** As many letters as Mermaid puts on a line; a guard that makes its arrow's label longer is left out. */
const LONGEST_LABEL = 26;
/** Below this share of its natural size a drawing scrolls rather than shrinks. */
const SMALLEST = 0.7;
const EDGE = /^(\s*\S+ --> \S+) : (.*)$/;
const GUARD = / #91;(.*)#93;$/;

const readable = (label) => label.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

/**
 * The same diagram without long guards: they stand in the text beside it.
 * @returns {{ text: string, hints: string[] }} the diagram and, per arrow, all that its label said
 */
function overview(text) {
  const hints = [];
  const shortened = (part) => (readable(part).length > LONGEST_LABEL ? part.replace(GUARD, ' #91;…#93;') : part);
  const lines = text.split('\n').map((line) => {
    if (!line.includes(' --> ')) return line;
    const [, ends, label = ''] = EDGE.exec(line) ?? [line, line];
    const parts = label.split('<br>');
    hints.push(readable(parts.join('\n')));
    return label === '' ? line : `${ends} : ${[...new Set(parts.map(shortened))].join('<br>')}`;
  });
  return { text: lines.join('\n'), hints };
}

/** The statechart, drawn by the editor's own Mermaid (and drawn again by it when the theme changes), with one state marked. */
export class Diagram {
  #host;
  #observer;
  #text = '';
  #state;
  #states = [];
  #hints = [];

  /**
   * @param {JQuery} host an empty element that scrolls
   * @param {(state: string) => void} onState called with the path of a state that is clicked
   */
  constructor(host, onState) {
    this.#host = host;
    this.#observer = new MutationObserver(() => this.#drawn());
    this.#observer.observe(host[0], { childList: true, subtree: true });
    host.on('click', '[data-skull-state]', (event) => onState(event.currentTarget.dataset.skullState));
  }

  /**
   * @param {string} text a Mermaid state diagram whose states are called s0, s1, …
   * @param {string[]} states their paths, in that order
   */
  draw(text, states) {
    this.#states = states;
    this.#host.removeClass('skull-fsm-stale');
    if (text === this.#text) return;
    this.#text = text;
    const { text: drawn, hints } = overview(text);
    this.#hints = hints;
    // The old drawing stays until the new one is there: no flicker while one types.
    const next = $('<pre class="mermaid skull-fsm-next">').attr('data-c64', btoa(latin1(drawn)));
    this.#host.find('.skull-fsm-next').remove();
    this.#host.append(next);
    RED.editor.mermaid.render(this.#host);
  }

  /** Shows that the drawing is older than the text beside it. */
  stale() {
    this.#host.addClass('skull-fsm-stale');
  }

  /** Marks the state in which the deployed node is, and shows it; undefined marks none. */
  mark(state) {
    this.#state = state;
    this.#host.find('[data-skull-state]').each((_, element) => {
      element.classList.toggle('skull-fsm-current', element.dataset.skullState === state);
    });
    const current = this.#host.find('.skull-fsm-current')[0];
    if (current !== undefined) this.#show(current.getBoundingClientRect());
  }

  /** Scrolls a box to the middle, unless it can be seen. */
  #show({ left, right, top, bottom }) {
    const host = this.#host[0];
    const view = host.getBoundingClientRect();
    if (left < view.left || right > view.right) host.scrollLeft += (left + right - view.left - view.right) / 2;
    if (top < view.top || bottom > view.bottom) host.scrollTop += (top + bottom - view.top - view.bottom) / 2;
  }

  /** All of it in small, or large enough to read. */
  toggleWhole() {
    this.#host.toggleClass('skull-fsm-whole');
    this.mark(this.#state);
  }

  close() {
    this.#observer.disconnect();
    this.#host.off('click').empty();
  }

  #drawn() {
    const next = this.#host.find('.skull-fsm-next:has(svg)');
    if (next.length > 0) {
      next.siblings('.mermaid').remove();
      next.removeClass('skull-fsm-next');
    }
    const svg = this.#host[0].querySelector('svg:not([data-skull-drawn])');
    if (svg === null) return;
    svg.dataset.skullDrawn = '';
    svg.style.minWidth = `${svg.viewBox.baseVal.width * SMALLEST}px`;
    for (const element of svg.querySelectorAll('[id*="state-s"]')) {
      const path = this.#states[/state-s(\d+)(?:-|$)/.exec(element.id)?.[1] ?? -1];
      if (path !== undefined) element.dataset.skullState = path;
    }
    for (const label of svg.querySelectorAll('.edgeLabel [data-id^="edge"]')) {
      const hint = this.#hints[label.dataset.id.slice('edge'.length)];
      if (hint) $(label).find('span').attr('title', hint);
    }
    this.mark(this.#state);
  }
}
