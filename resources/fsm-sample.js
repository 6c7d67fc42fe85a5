/** What a new skull-fsm node begins with: small, but one of everything. */
export const SAMPLE = {
  id: 'traffic-light',
  description: 'A traffic light with a button for pedestrians. Send messages with the topic button, fault or repaired.',
  initial: 'Red',
  context: { presses: 0 },
  on: {
    fault: { target: 'Blinking', description: 'From any state' },
  },
  states: {
    Red: {
      entry: [{ assign: { presses: '0' } }, { command: 'light/colour', payload: 'red', retain: true }],
      after: [{ delay: 'config.red_ms', target: 'Green' }],
    },
    Green: {
      entry: [{ command: 'light/colour', payload: 'green', retain: true }],
      on: {
        button: [
          { guard: 'context.presses + 1 >= config.presses', target: 'Yellow', description: 'Pressed often enough' },
          { actions: [{ assign: { presses: 'context.presses + 1' } }] },
        ],
      },
      after: [{ delay: 'config.green_ms', target: 'Yellow' }],
    },
    Yellow: {
      entry: [{ command: 'light/colour', payload: 'yellow', retain: true }],
      exit: [{ command: 'light/crossing', payload: { presses: '=context.presses', at: '=now' } }],
      after: [{ delay: 1500, target: 'Red' }],
    },
    Blinking: {
      entry: [{ command: 'light/colour', payload: 'blinking', retain: true }],
      on: { repaired: { target: 'Red' } },
    },
  },
};

export const SAMPLE_CONFIG = { red_ms: 5000, green_ms: 8000, presses: 2 };
