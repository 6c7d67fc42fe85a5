import { SkullError } from '../../core/model/errors.ts';

export interface BrokerAddress {
  host: string;
  port: number;
  tls: boolean;
  /** Without credentials. */
  url: string;
  username: string | undefined;
  password: string | undefined;
}

/** Reads `mqtt://` and `mqtts://` URLs; explicit credentials win over the URL's. Throws SkullError `invalid`. */
export function brokerUrl(options: {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
}): BrokerAddress {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  const tls = url?.protocol === 'mqtts:';
  if (url === undefined || url.hostname === '' || !(tls || url.protocol === 'mqtt:')) {
    throw new SkullError('invalid', 'The broker URL must look like mqtt://host:1883 or mqtts://host:8883.');
  }
  const port = url.port === '' ? (tls ? 8883 : 1883) : Number(url.port);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    tls,
    url: `${url.protocol}//${url.hostname}:${port}`,
    username: options.username ?? credential(url.username),
    password: options.password ?? credential(url.password),
  };
}

function credential(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
