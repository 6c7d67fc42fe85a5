/* global $, RED */

import { issuesOf, knownIssuesOf } from './fsm-check.js';
import { FsmEditor } from './fsm-editor.js';
import { SAMPLE, SAMPLE_CONFIG } from './fsm-sample.js';
import { parsed } from './json-places.js';

const OWN_OUTPUTS = ['skull-fsm.output.state', 'skull-fsm.output.commands', 'skull-fsm.output.transitions'];

/** The open dialog's; the editor shows one node of a kind at a time. */
let editor;

function closeEditor() {
  editor?.close();
  editor = undefined;
}

RED.nodes.registerType('skull-fsm', {
  category: 'skull',
  color: '#E2B15B',
  icon: 'skull-fsm.svg',
  paletteLabel: 'skull fsm',
  inputs: 1,
  outputs: OWN_OUTPUTS.length,
  defaults: {
    outputs: { value: OWN_OUTPUTS.length },
    name: { value: '' },
    character: { value: '', type: 'skull-character', required: false },
    stateTopic: {
      value: '',
      validate(value, _opt) {
        return !/[+#\0]/.test(value ?? '') || this._('skull-fsm.error.stateTopic');
      },
    },
    config: {
      value: SAMPLE_CONFIG,
      validate(value, _opt) {
        return (
          (typeof value === 'object' && value !== null && !Array.isArray(value)) || this._('skull-fsm.error.config')
        );
      },
    },
    definition: {
      value: SAMPLE,
      // Only the runtime knows what is right, and its answer takes a moment: until then the node counts as valid.
      validate(value, _opt) {
        const definition = parsed(value);
        if (typeof definition !== 'object' || definition === null) return this._('skull-fsm.error.notJson');
        const issues = knownIssuesOf(definition);
        if (issues === undefined) {
          issuesOf(definition).then(
            () => {
              RED.editor.validateNode(this);
              RED.view.redraw();
            },
            () => {},
          );
          return true;
        }
        return issues.length === 0 || issues.map(({ path, message }) => `${path || '/'} ${message}`);
      },
    },
  },
  label() {
    return this.name || this.definition?.id || 'skull fsm';
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  inputLabels() {
    return this._('skull-fsm.input.event');
  },
  outputLabels(index) {
    const own = OWN_OUTPUTS[index];
    return own === undefined ? parsed(this.definition)?.outputs?.[index - OWN_OUTPUTS.length] : this._(own);
  },
  oneditprepare() {
    editor = new FsmEditor(this);
  },
  oneditresize(size) {
    editor?.resize(size);
  },
  oneditsave() {
    Object.assign(this, editor?.values());
    // The editor reads it from there, and takes away the wires of outputs that are gone.
    $('#node-input-outputs').val(OWN_OUTPUTS.length + (this.definition?.outputs?.length ?? 0));
    closeEditor();
  },
  oneditcancel: closeEditor,
  oneditdelete: closeEditor,
});
