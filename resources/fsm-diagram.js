/* global $, RED */

// Node-RED decodes a diagram's base64 as Latin-1: what lies beyond is written as one of Mermaid's own entities.
const latin1 = (text) => text.replace(/[^\0-\xff]/gu, (character) => `#${character.codePointAt(0)};`);

/** The statechart, drawn by the editor's own Mermaid (and drawn again by it when the theme changes), with one state marked. */
export class Diagram {
  #host;
  #observer;
  #text = '';
  #state;
  #states = [];

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
    // The old drawing stays until the new one is there: no flicker while one types.
    const next = $('<pre class="mermaid skull-fsm-next">').attr('data-c64', btoa(latin1(text)));
    this.#host.find('.skull-fsm-next').remove();
    this.#host.append(next);
    RED.editor.mermaid.render(this.#host);
  }

  /** Shows that the drawing is older than the text beside it. */
  stale() {
    this.#host.addClass('skull-fsm-stale');
  }

  /** Marks the state in which the deployed node is; undefined marks none. */
  mark(state) {
    this.#state = state;
    this.#host.find('[data-skull-state]').each((_, element) => {
      element.classList.toggle('skull-fsm-current', element.dataset.skullState === state);
    });
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
    for (const element of this.#host[0].querySelectorAll('svg [id*="state-s"]:not([data-skull-state])')) {
      const path = this.#states[/state-s(\d+)(?:-|$)/.exec(element.id)?.[1] ?? -1];
      if (path !== undefined) element.dataset.skullState = path;
    }
    this.mark(this.#state);
  }
}
