import { interleave, type RowGroup } from '../rows.ts';
import { startProduct, startStock } from '../subjects.ts';
import { median } from '../support/numbers.ts';

export const boot: RowGroup = {
  name: 'boot',
  async measure({ quick, progress }) {
    const subject = (start: () => Promise<{ bootMs: number; stop(): Promise<void> }>) => async () => {
      const running = await start();
      await running.stop();
      return running.bootMs;
    };
    const subjects = { product: subject(() => startProduct()), stock: subject(startStock) };
    // The first start writes homes and caches.
    await interleave(1, subjects, () => progress('warming up'));
    const { product, stock } = await interleave(quick ? 2 : 9, subjects, progress);
    return [
      {
        name: 'boot to the first retained state',
        value: median(product),
        unit: 'ms',
        against: { name: 'stock Node-RED, empty flow', value: median(stock) },
        target: { at: 'most', value: 0.8 },
      },
    ];
  },
};
