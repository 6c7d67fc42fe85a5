import assert from 'node:assert/strict';
import { SERVICES } from '../../core/model/services.ts';
import { BROKEN_FLOW, ENV_FILE, HOME, INSTALL, Installation, LOOPING_FLOW, UNIT } from '../support/installation.ts';
import { needsSystemd } from '../support/machine.ts';

const BROKEN = '9.0.2';

/** The story of one installation: each test begins where the one before it ended. */
describe('an installation', function () {
  this.timeout(60_000);
  let machine: Installation;
  /** The API key that the installation made. */
  let key: string;

  const sh = (script: string) => machine.sh(script);
  const withKey = (place: string) => machine.get(place, key);

  before(async function () {
    needsSystemd(this);
    machine = await Installation.boot();
  });

  after(() => machine?.stop());

  describe('fresh', () => {
    it('is shown step by step and not made with --dry-run, by anybody', async () => {
      const { code, output } = await machine.try(`setpriv --reuid=nobody ${INSTALL} --dry-run`);
      assert.equal(code, 0, output);
      for (const step of ['useradd', 'systemctl enable', `${HOME}/config`, UNIT])
        assert.ok(output.includes(step), step);
      assert.equal((await machine.try(`test -e ${HOME} || id skull`)).code, 1);
    });

    it('is refused to who is not root, and with an option that is not known', async () => {
      assert.match((await machine.try(`setpriv --reuid=nobody ${INSTALL}`)).output, /root is needed/);
      assert.equal((await machine.try(`${INSTALL} --force`)).code, 2);
      assert.equal((await machine.try(`test -e ${HOME}`)).code, 1);
    });

    it('needs no argument and no network, and leaves a service that is active, enabled and healthy', async () => {
      const output = await sh(INSTALL);
      assert.match(output, /healthy/);
      assert.equal(await sh(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`), 'active\nenabled');
      assert.match(await machine.show('StatusText'), /^Ready: version/);
      assert.equal(await machine.get('/health'), '200');
      key = await sh(`sed -n 's/^API_KEY=//p' ${ENV_FILE}`);
      assert.match(key, /^[0-9a-f]{48}$/);
      assert.equal(output.includes(key), false, 'the key is not shown');
    });

    it('lets in who has the key that it made, and nobody else', async () => {
      assert.equal(await withKey('/status'), '200');
      assert.equal(await machine.get('/status'), '401');
    });

    it('gives the service its folders and nothing of what it runs', async () => {
      const rights = await sh(
        `stat --format='%a %U:%G %n' ${HOME}/{apps,bin,config,logs,songs,data,flows} ${ENV_FILE}`,
      );
      const folder = (name: string, right: string) => `${right} ${HOME}/${name}`;
      assert.deepEqual(rights.split('\n'), [
        ...['apps', 'bin'].map((name) => folder(name, '755 root:root')),
        ...['config', 'logs', 'songs', 'data', 'flows'].map((name) => folder(name, '750 skull:skull')),
        `640 root:skull ${ENV_FILE}`,
      ]);
      assert.equal(await sh(`find ${HOME}/apps ${HOME}/bin ! -user root -o ! -type l -perm /022`), '');
    });

    it('has a unit without unknown keys, that is confined', async () => {
      const { output } = await machine.try(`systemd-analyze verify --recursive-errors=no --man=no ${UNIT}`);
      assert.equal(output, '', 'what is unknown is told, with exit code 0');
      await sh(`systemd-analyze security --offline=true --threshold=20 /etc/systemd/system/${UNIT}`);
    });

    it('tells of an unknown key, so that the test before would fail', async () => {
      const broken = `sed 's/^RestartSec=/RestartSeconds=/' /etc/systemd/system/${UNIT} >/tmp/${UNIT}`;
      const { output } = await machine.try(
        `${broken}; systemd-analyze verify --recursive-errors=no --man=no /tmp/${UNIT}`,
      );
      assert.match(output, /Unknown key 'RestartSeconds'/);
    });
  });

  describe('running', () => {
    it('is started again after a kill -9', async () => {
      await sh(`systemctl kill --signal=KILL --kill-who=main ${UNIT}`);
      await machine.restarted(1);
    });

    it('stops within 5 seconds, cleanly', async () => {
      await sh(`timeout 5 systemctl stop ${UNIT}`);
      assert.equal(await machine.show('Result'), 'success');
      assert.equal(await machine.show('ExecMainStatus'), '0');
    });

    it('says why it does not start, and is not locked out', async () => {
      await sh(`echo PORT=many >>${ENV_FILE}`);
      assert.notEqual((await machine.try(`systemctl start ${UNIT}`)).code, 0);
      assert.match(await machine.show('StatusText'), /^PORT=many is not allowed/);
      await sh(`sed -i /PORT=many/d ${ENV_FILE}`);
      await machine.until(`systemctl is-active --quiet ${UNIT}`);
      assert.equal(await machine.get('/health'), '200');
    });

    it('beats within the time of the watchdog, and is started again when its event loop is blocked', async () => {
      const place = `${HOME}/flows/900-mine.json`;
      await sh(`
        mkdir -p /run/systemd/system/${UNIT}.d
        printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/${UNIT}.d/watchdog.conf
        cat >${place} <<'END'\n${JSON.stringify(LOOPING_FLOW)}\nEND
        systemctl daemon-reload && systemctl restart ${UNIT}`);
      const property = `systemctl show --property=WatchdogTimestampMonotonic --value ${UNIT}`;
      const begin = Number(await sh(property));
      await machine.until(`[ "$(${property})" -gt ${begin + 2_500_000} ]`);
      assert.equal(await machine.show('NRestarts'), '0');
      const { output } = await machine.try(
        `curl --silent --show-error --max-time 10 --header 'X-API-Key: ${key}' http://127.0.0.1:8080/loop`,
      );
      assert.doesNotMatch(output, /timed out/);
      await machine.restarted(1);
    });

    it('is started again when it stands still', async () => {
      await sh(`systemctl kill --signal=STOP --kill-who=main ${UNIT}`);
      await machine.restarted(2);
      await sh(`rm /run/systemd/system/${UNIT}.d/watchdog.conf; systemctl daemon-reload`);
    });
  });

  describe('its right', () => {
    const VERBS = ['start', 'stop', 'restart', 'reset-failed'];
    const ask = (command: string) => machine.asSkull(`systemctl --no-ask-password ${command}`);

    before(async () => {
      const unit = '[Service]\\nExecStart=/bin/sleep infinity\\n';
      const names = [...SERVICES, 'other'].map((name) => `skull-${name}.service`);
      await sh(
        `cd /run/systemd/system; for unit in ${names.join(' ')}; do printf '${unit}' >$unit; done; systemctl daemon-reload`,
      );
    });

    it('is to start, stop, restart and reset the six services', async () => {
      for (const verb of VERBS)
        for (const name of SERVICES) {
          const { code, output } = await ask(`${verb} skull-${name}.service`);
          assert.equal(code, 0, `${verb} ${name}: ${output}`);
        }
      assert.match((await ask('start skull-motion.service')).output, /^$/);
      assert.equal(await sh('systemctl is-active skull-motion.service'), 'active');
    });

    it('is enough for the orchestrator in its confinement', async () => {
      const pid = 'systemctl show --property=MainPID --value skull-motion.service';
      const before = await sh(pid);
      const ask = `curl --silent --fail --request POST --header 'X-API-Key: ${key}' http://127.0.0.1:8080`;
      assert.match(await sh(`${ask}/services/motion/restart`), /"unit":"running"/);
      assert.notEqual(await sh(pid), before);
    });

    it('is none to other units, nor to one of them beside an allowed one', async () => {
      for (const units of [
        'skull-other.service',
        UNIT,
        'systemd-journald.service',
        'skull-motion.service skull-other.service',
      ])
        for (const verb of ['start', 'stop', 'restart']) {
          const { code, output } = await ask(`${verb} ${units}`);
          assert.notEqual(code, 0, `${verb} ${units}`);
          assert.match(output, /[Aa]ccess denied|authentication required|not authorized/i, `${verb} ${units}`);
        }
      assert.equal((await machine.try('systemctl is-active skull-other.service')).output, 'inactive');
      assert.equal(await sh(`systemctl is-active ${UNIT}`), 'active');
    });

    it('is none to do anything else', async () => {
      const others = ['try-restart', 'reload-or-restart', 'kill', 'enable', 'disable', 'mask'];
      for (const command of [...others.map((verb) => `${verb} skull-vision.service`), 'daemon-reload', 'reboot']) {
        assert.notEqual((await ask(command)).code, 0, command);
      }
      assert.notEqual((await ask('set-property skull-vision.service CPUWeight=1')).code, 0);
    });
  });

  describe('skull doctor', () => {
    const DOCTOR = `${HOME}/bin/skull-orchestrator.sh doctor`;

    it('finds the installation well, and shows no key', async () => {
      const output = await sh(DOCTOR);
      assert.doesNotMatch(output, /^fail/m);
      for (const check of ['folders', 'secrets', 'config', 'broker', 'right', 'systemd'])
        assert.match(output, new RegExp(`^ok {4}${check} `, 'm'));
      assert.match(output, /^\w+ +port .* answers at 0\.0\.0\.0:8080/m);
      assert.equal(output.includes(key), false);
    });

    it('says what is wrong: a right that is gone, a service that is missing or failed, a folder of somebody else', async () => {
      await sh(`
        mv /etc/polkit-1/rules.d/50-skull-orchestrator.rules /tmp
        rm /run/systemd/system/skull-asr.service
        printf '[Service]\\nExecStart=/bin/false\\n' >/run/systemd/system/skull-ai.service
        systemctl stop skull-ai.service skull-asr.service; systemctl daemon-reload; systemctl start skull-ai.service
        chown root:root ${HOME}/songs`);
      await machine.until('systemctl is-failed skull-ai.service');
      await machine.until(
        '! setpriv --reuid=skull --clear-groups systemctl --no-ask-password reset-failed skull-motion.service',
      );
      const { code, output } = await machine.try(DOCTOR);
      assert.equal(code, 1);
      assert.match(output, /^fail {2}right .*start motion/m);
      assert.match(output, /^warn {2}systemd .*skull-ai\.service is failed/m);
      assert.match(output, /^warn {2}systemd .*not installed: skull-asr\.service/m);
      assert.match(output, /^fail {2}folders .*songs cannot.*chown/m);
    });

    it('is healed by another installation, but for what is not ours', async () => {
      await sh(INSTALL);
      assert.doesNotMatch(await sh(DOCTOR), /^fail/m);
    });

    it('tells who may see nothing of it so', async () => {
      const { code, output } = await machine.try(`setpriv --reuid=nobody --clear-groups ${DOCTOR}`);
      assert.equal(code, 1);
      assert.match(output, /^fail {2}user .*sudo/m);
    });
  });

  describe('again', () => {
    it('loses nothing: key, configuration, songs and data stay', async () => {
      const kept = `cd ${HOME} && sha256sum config/song.json config/*.env songs/* data/mine flows/*.json`;
      await sh(
        `cd ${HOME} && echo song >songs/mine.mp3 && echo data >data/mine && sed -i 's/"volume": 80/"volume": 55/' config/song.json`,
      );
      const before = await sh(kept);
      const first = await machine.release();
      await sh(INSTALL);
      assert.equal(await sh(kept), before);
      assert.equal(await withKey('/status'), '200');
      assert.notEqual(await machine.release(), first);
    });

    it('brings a newer version beside the old, and keeps flows that were changed', async () => {
      const install = await machine.variant(
        '9.0.1',
        `sed -i 's/"label": "/"label": "New /' flows/020-config.json flows/030-rest-service.json`,
      );
      await sh(`sed -i 's/"label": "/"label": "My /' ${HOME}/flows/020-config.json`);
      const old = await machine.release();
      await sh(install);
      assert.match(await machine.release(), /orchestrator-9\.0\.1\./);
      await sh(`test -d ${old}`);
      assert.equal((await sh(`ls -d ${HOME}/apps/orchestrator-*`)).split('\n').length, 2, 'older ones are gone');
      assert.match(await sh('curl --silent http://127.0.0.1:8080/health'), /"version":"9\.0\.1"/);
      await sh(
        `cd ${HOME}/flows && grep -q '"My ' 020-config.json && grep -q '"New ' 020-config.json.new 030-rest-service.json`,
      );
      assert.match(await sh(`journalctl --unit=${UNIT} --no-pager`), /020-config\.json was changed here/);
    });

    it('goes back to the version before when the new one does not start, and says why', async () => {
      const old = await machine.release();
      const install = await machine.variant(BROKEN, `echo '${JSON.stringify(BROKEN_FLOW)}' >flows/950-broken.json`);
      const { code, output } = await machine.try(install);
      assert.equal(code, 1, output);
      assert.match(output, /skull-brain/);
      assert.match(output, /the version before runs again/);
      assert.equal(await machine.release(), old);
      assert.equal(await withKey('/status'), '200');
      assert.equal(
        (await machine.try(`ls -d ${HOME}/apps/orchestrator-${BROKEN}* ${HOME}/flows/950*`)).output.match(/^\//m),
        null,
      );
    });

    it('goes back, too, when the new one starts but is not healthy', async () => {
      const old = await machine.release();
      const deaf = `#!/bin/bash\nsystemd-notify --ready\necho deaf\nexec sleep infinity`;
      const install = await machine.variant(
        '9.0.3',
        `cat >dist/runtime/cli.js <<'END'\n${deaf}\nEND\necho '# changed' >>systemd/${UNIT}`,
      );
      const { code, output } = await machine.try(install);
      assert.equal(code, 1, output);
      assert.match(output, /deaf/);
      assert.equal(await machine.release(), old);
      assert.equal(await machine.get('/health'), '200');
      await sh(`! grep -q '# changed' /etc/systemd/system/${UNIT}`);
    });
  });

  describe('removed', () => {
    it('keeps what is the user’s, and can be done twice', async () => {
      for (let times = 0; times < 2; times++) await sh('/srv/skull/systemd/uninstall.sh');
      assert.equal(await sh(`systemctl list-unit-files --no-legend ${UNIT} | wc -l`), '0');
      assert.equal((await machine.try('curl --silent http://127.0.0.1:8080/health')).code, 7);
      assert.equal((await ask()).code, 1);
      await sh(
        `cd ${HOME} && test -f songs/mine.mp3 -a -f data/mine -a -f flows/900-mine.json -a -f ${ENV_FILE} -a ! -e bin/skull-orchestrator.sh`,
      );
      assert.equal((await machine.try(`ls -d ${HOME}/apps/orchestrator*`)).code, 2);
    });

    const ask = () => machine.asSkull('systemctl --no-ask-password restart skull-motion.service');

    it('is there again with its settings after another installation', async () => {
      await sh(INSTALL);
      assert.equal(await withKey('/status'), '200');
    });

    it('leaves nothing with --purge', async () => {
      await sh(
        'rm /run/systemd/system/skull-*.service; systemctl daemon-reload; /srv/skull/systemd/uninstall.sh --purge',
      );
      assert.equal((await machine.try(`ls -d ${HOME}`)).code, 2);
      assert.equal((await machine.try('id skull')).code, 1);
      await sh('/srv/skull/systemd/uninstall.sh --purge');
    });

    it('is neither left running nor enabled when the first version does not come up', async () => {
      const { code, output } = await machine.try(`/tmp/${BROKEN}/systemd/install.sh`);
      assert.equal(code, 1, output);
      assert.match(output, /nothing was installed before/);
      assert.equal(
        (await machine.try(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`)).output,
        'inactive\ndisabled',
      );
      await sh(`! ls ${HOME}/apps/orchestrator* && test -f ${ENV_FILE}`);
    });

    it('takes the broker that runs here', async () => {
      await sh(`
        rm ${ENV_FILE}
        printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/run/systemd/system/mosquitto.service
        systemctl daemon-reload; systemctl start mosquitto.service
        ${INSTALL}`);
      assert.equal(await sh(`grep ^MQTT_URL= ${ENV_FILE}`), 'MQTT_URL=mqtt://127.0.0.1:1883');
      assert.match(await sh('curl --silent http://127.0.0.1:8080/health'), /"status":"degraded"/);
    });
  });
});
