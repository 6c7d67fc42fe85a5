import assert from 'node:assert/strict';
import { SERVICES } from '../../core/model/services.ts';
import {
  BROKEN_FLOW,
  ENV_FILE,
  HOME,
  INSTALL,
  Installation,
  LOOPING_FLOW,
  UNINSTALL,
  UNIT,
} from '../support/installation.ts';
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

    it('is refused where something is in its way, which stays as it is', async () => {
      const refused = async (place: string, make: string) => {
        await sh(`mkdir -p ${HOME}/apps && cd ${HOME} && ${make}`);
        const { code, output } = await machine.try(`${INSTALL} | tail -n 1; exit \${PIPESTATUS[0]}`);
        assert.equal(code, 1, output);
        await sh(`test -e ${HOME}/${place} && test ! -e ${HOME}/apps/orchestrator/dist`);
        assert.equal(await sh('stat --format="%a %U" /etc'), '755 root');
        await sh(`umount ${HOME}/${place} 2>/dev/null; rm -r ${HOME}`);
        return output;
      };
      assert.match(await refused('apps/orchestrator', 'mkdir apps/orchestrator'), /is in the way: move it/);
      assert.equal((await machine.try('id skull')).code, 1);
      assert.match(await refused('config', 'ln -s /etc config'), /config is a symbolic link/);
      const small = 'mkdir apps/.orchestrator && mount -t tmpfs -o size=1m small apps/.orchestrator';
      assert.match(await refused('apps/.orchestrator', small), /has 1 MB free and \d+ MB are needed/);
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
        folder('config', '1770 root:skull'),
        ...['logs', 'songs', 'data', 'flows'].map((name) => folder(name, '750 skull:skull')),
        `640 root:skull ${ENV_FILE}`,
      ]);
      assert.equal(await sh(`find ${HOME}/apps ${HOME}/bin ! -user root -o ! -type l -perm /022`), '');
    });

    it('lets the service write its configuration, but not put another file in the place of its settings', async () => {
      const patch = `--request PATCH --header 'Content-Type: application/json' --data '{"volume":80}'`;
      await sh(`curl --silent --fail ${patch} --header 'X-API-Key: ${key}' http://127.0.0.1:8080/config/song`);
      for (const command of [`rm -f ${ENV_FILE}`, `ln -sf /etc/shadow ${ENV_FILE}`, `mv ${ENV_FILE} ${HOME}/data`])
        assert.match((await machine.asSkull(command)).output, /Operation not permitted|Permission denied/, command);
    });

    it('is no tree to install from', async () => {
      const { code, output } = await machine.try(`${HOME}/apps/orchestrator/systemd/install.sh`);
      assert.equal(code, 1);
      assert.match(output, /is what was installed/);
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
    const REFUSED = /access denied|authentication required|not authorized/i;
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
          assert.match(output, REFUSED, `${verb} ${units}`);
        }
      assert.equal((await machine.try('systemctl is-active skull-other.service')).output, 'inactive');
      assert.equal(await sh(`systemctl is-active ${UNIT}`), 'active');
    });

    it('is none to do anything else', async () => {
      const others = ['try-restart', 'reload-or-restart', 'kill', 'enable', 'disable', 'mask'];
      for (const command of [...others.map((verb) => `${verb} skull-vision.service`), 'daemon-reload', 'reboot']) {
        assert.match((await ask(command)).output, REFUSED, command);
      }
      assert.match((await ask('set-property skull-vision.service CPUWeight=1')).output, REFUSED);
    });

    it('takes none that another rule gives outside of systemd', async () => {
      const action = 'org.freedesktop.policykit.exec';
      const rule = `if (action.id === "${action}" && subject.user === "skull") return polkit.Result.YES;`;
      await sh(`echo 'polkit.addRule(function (action, subject) { ${rule} });' >/etc/polkit-1/rules.d/60-mine.rules`);
      await machine.until(`pkcheck --action-id ${action} --process $(systemctl show -P MainPID ${UNIT})`);
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
        ln -sf /dev/null /run/systemd/system/skull-voice.service
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
      assert.match(output, /^warn {2}systemd .*skull-voice\.service is \w+ and masked .*unmask/m);
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
        `cd ${HOME} && mkdir apps/orchestrator-mine && echo song >songs/mine.mp3 && echo data >data/mine && sed -i 's/"volume": 80/"volume": 55/' config/song.json`,
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
      assert.match(await machine.release(), /\.orchestrator\/9\.0\.1\./);
      await sh(`test -d ${old}`);
      assert.equal((await sh(`ls ${HOME}/apps/.orchestrator`)).split('\n').length, 3, 'two, and which is proven');
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
        (await machine.try(`ls -d ${HOME}/apps/.orchestrator/${BROKEN}* ${HOME}/flows/950*`)).output.match(/^\//m),
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

    it('goes back to the version that was well when it is interrupted, even after one that was killed', async () => {
      const old = await machine.release();
      await machine.interrupt('/tmp/9.0.3/systemd/install.sh', 'KILL');
      assert.match(await machine.release(), /9\.0\.3\./);
      const { code, output } = await machine.interrupt('/tmp/9.0.3/systemd/install.sh', 'TERM');
      assert.equal(code, 1, output);
      assert.match(output, /9\.0\.3 was interrupted; the version before runs again/);
      assert.equal(await machine.release(), old);
      assert.equal(await withKey('/status'), '200');
    });
  });

  describe('removed', () => {
    it('is refused while somebody installs', async () => {
      const { code, output } = await machine.try(`flock /run/skull-orchestrator-install.lock ${UNINSTALL}`);
      assert.equal(code, 1);
      assert.match(output, /is at work/);
    });

    it('keeps what is the user’s, and can be done twice', async () => {
      await sh(`cd ${HOME} && touch .settings.abcdef && ln -s nowhere apps/orchestrator.new`);
      for (let times = 0; times < 2; times++) await sh(UNINSTALL);
      assert.equal(await sh(`systemctl list-unit-files --no-legend ${UNIT} | wc -l`), '0');
      assert.equal((await machine.try('curl --silent http://127.0.0.1:8080/health')).code, 7);
      assert.equal((await ask()).code, 1);
      await sh(
        `cd ${HOME} && test -f songs/mine.mp3 -a -f data/mine -a -f flows/900-mine.json -a -f ${ENV_FILE} -a ! -e bin/skull-orchestrator.sh`,
      );
      assert.equal(await sh(`ls -A ${HOME} ${HOME}/apps | grep -e orchestrator -e settings`), 'orchestrator-mine');
    });

    const ask = () => machine.asSkull('systemctl --no-ask-password restart skull-motion.service');

    it('is there again with its settings after another installation', async () => {
      await sh(INSTALL);
      assert.equal(await withKey('/status'), '200');
    });

    it('keeps with --purge what other services of the skull may use', async () => {
      assert.match(await sh(`${UNINSTALL} --purge`), /kept for .*skull-motion\.service/);
      await sh(`cd ${HOME} && id skull && test -f config/song.json -a -f songs/mine.mp3 -a ! -e ${ENV_FILE}`);
    });

    it('leaves nothing with --purge', async () => {
      await sh(
        `rm -r /run/systemd/system/skull-*.service ${HOME}/apps/orchestrator-mine; systemctl daemon-reload; ${UNINSTALL} --purge`,
      );
      assert.equal((await machine.try(`ls -d ${HOME}`)).code, 2);
      assert.equal((await machine.try('id skull')).code, 1);
      await sh(`${UNINSTALL} --purge`);
    });

    it('leaves a person’s account with --purge, and warns of it before', async () => {
      await sh('useradd --no-create-home --shell /bin/bash skull');
      assert.match(await sh(`${INSTALL} --dry-run`), /somebody can log in as the user skull/);
      assert.match(await sh(`${UNINSTALL} --purge`), /The user skull is kept/);
      await sh('id skull && userdel skull');
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

    it('takes the broker that runs here, and makes settings anew that a loss of power emptied', async () => {
      await sh(`
        : >${ENV_FILE}
        printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/run/systemd/system/mosquitto.service
        systemctl daemon-reload; systemctl start mosquitto.service
        ${INSTALL}`);
      assert.equal(await sh(`grep ^MQTT_URL= ${ENV_FILE}`), 'MQTT_URL=mqtt://127.0.0.1:1883');
      assert.match(await sh(`cat ${ENV_FILE}`), /^API_KEY=\w{48}$/m);
      assert.match(await sh('curl --silent http://127.0.0.1:8080/health'), /"status":"degraded"/);
    });

    it('is found at the port that a .env in its folder says', async () => {
      await sh(`echo PORT=8099 >${HOME}/.env && ${INSTALL} && curl --silent --fail http://127.0.0.1:8099/health`);
    });
  });
});
