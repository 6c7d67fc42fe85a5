export interface Place {
  line: number;
  column: number;
}

export interface Fault {
  code: 'value' | 'key' | 'colon' | 'comma' | 'string' | 'escape' | 'number' | 'end' | 'extra' | 'duplicate';
  offset: number;
  found: string;
}

export interface Places {
  fault: Fault | undefined;
  find(pointer: string): Place;
  at(offset: number): Place;
}

export function placesOf(text: string): Places;

export function parsed(text: unknown): unknown;
