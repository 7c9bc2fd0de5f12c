"""Take newer key lists, policies and drills outside of enrolment, and make the trial recording in between.

The newest key list a camera holds says whom it believes (link, receipt, time, release); files are sealed for
the list in force, which is the newest one only after two drills have shown that it can be opened. Knows the
key store and the recorder; never a frame of the dock. docs/format/statements.md, Newer lists.
"""

from sealcam import policy, statements, usagelog
from sealcam.crypto import sha256
from sealcam.errors import CardFault, NotDrilled, OutOfOrder, SealcamError
from sealcam.layout import REASON_LIMIT

TRIAL_MS = 1000


class Lists:
    """`camera` is the introduction of the parts; its `keylist`, `sealing`, `policy` and `drilled` are set
    here.
    """

    def __init__(self, camera):
        self._camera = camera
        self._trial = None  # h_core of the trial recording under the newest list
        self._began = -1  # when the trial that is being filmed began, -1: none is
        self._gave_up = False  # until the card is put in again: a trial that fails would fail for ever

    @property
    def filming(self) -> bool:
        """Whether what is recorded just now is a trial."""
        return self._began >= 0

    def load(self) -> None:
        """Take up what flash holds, and finish a switch that was cut: old before the drill is written, new
        after it.
        """
        camera, own, store = self._camera, self._camera.identity, self._camera.keystore
        camera.policy = policy.Policy.parse(store.policy(), own.root_point, own.organisation)
        try:
            camera.drilled = store.drilled()
        except NotDrilled:
            camera.drilled = 0
        raw = store.next_keylist()  # first: one that cannot be read leaves nobody to believe
        camera.sealing = camera.keylist = self._parse(store.keylist())
        if raw is None:
            return
        newer = self._parse(raw, camera.sealing)
        if newer.version == camera.drilled:
            self._switch(raw, newer)
        elif newer.version > camera.sealing.version:
            camera.keylist = newer
            self._trial = store.next_trial(newer.version)

    def _parse(self, raw, held=None):
        own = self._camera.identity
        return policy.KeyList.parse(raw, own.root_point, own.organisation, held=held)

    def take_keylist(self, raw) -> int:
        """Believe a newer list from here on; files go on under the list in force. The version.

        Cut anywhere: the old list or the new one is believed. The same list again changes nothing.
        """
        camera, raw = self._camera, bytes(raw)
        try:
            self._check_state()
            newer = self._parse(raw, camera.keylist)
        except SealcamError as fault:
            self._refused(fault, raw)
            raise
        if newer.version == camera.keylist.version:
            return newer.version
        camera.logbook.note(usagelog.KEY_LIST_ACCEPTED, newer.version & 0xFFFF)
        camera.keystore.keep_next_keylist(raw)  # from here on its keys are believed, and the old ones not
        camera.keylist, self._trial, self._gave_up = newer, None, False
        return newer.version

    def take_policy(self, raw) -> int:
        """In force at once; sizes with the next recording. Cut anywhere: the old one or the new one."""
        camera, own, raw = self._camera, self._camera.identity, bytes(raw)
        try:
            self._check_state()
            newer = policy.Policy.parse(raw, own.root_point, own.organisation, held=camera.policy)
        except SealcamError as fault:
            self._refused(fault, raw)
            raise
        if newer.version != camera.policy.version:
            camera.logbook.note(usagelog.POLICY_ACCEPTED, newer.version & 0xFFFF)
            camera.keystore.keep_policy(raw)
            camera.policy = newer
            camera.gate.load()  # a replay that is allowed no more is erased; after a cut, at the next boot
            self._seal_for(camera.sealing)  # and nothing is ready for it
        return newer.version

    def take_drill(self, raw) -> int:
        """Both statements, for this camera, its newest list and its trial: then files are sealed for that
        list. The version. Cut anywhere: the old list or the new one.
        """
        camera, raw = self._camera, bytes(raw)
        try:
            self._check_state()
            if camera.keylist is not camera.sealing and self._trial is None:
                raise OutOfOrder  # there is nothing yet that somebody could have opened
            self._check_drill(raw)
        except SealcamError as fault:
            self._refused(fault, raw)
            raise
        if camera.keylist is not camera.sealing:
            for by in (statements.OPENED_BY_EVIDENCE, statements.OPENED_BY_ESCROW):
                camera.logbook.note(usagelog.DRILL_ACCEPTED, by)
            camera.keystore.keep_drill(camera.keylist.version)  # here the old list stops being in force
            camera.drilled = camera.keylist.version
            self._switch(camera.keystore.next_keylist(), camera.keylist)
        return camera.sealing.version

    def _check_drill(self, raw):
        """One that was taken before is checked for all but its recording, which is no longer remembered."""
        camera = self._camera
        point, version = camera.keylist.point(policy.RELEASE), camera.keylist.version
        statements.check_drills(raw, point, camera.identity.device_id, version, self._trial)

    def _switch(self, raw, newer):
        camera = self._camera
        camera.keystore.keep_keylist(raw)
        camera.keystore.forget_next()
        camera.sealing = camera.keylist = newer
        self._trial = None
        self._seal_for(newer)

    def _seal_for(self, keylist):
        camera = self._camera
        if camera.recorder is None:
            return
        try:
            camera.seal_for(keylist)
        except CardFault:  # a name is left on it that opens nothing; the next start clears up
            camera.card_fault = CardFault

    def _check_state(self):
        camera = self._camera
        if camera.drilled == 0 or (camera.recorder is not None and camera.recorder.recording):
            raise OutOfOrder  # in enrolment the offer brings them; and only between recordings

    def _refused(self, fault, raw):
        self._camera.logbook.note(usagelog.LISTS_REFUSED, fault.status, 0, sha256(raw)[:16])

    def step(self) -> bool:
        """One slice on the way to a trial recording under the newest list; True if something was done."""
        if self._began >= 0:
            return self._film_on()
        if not self._is_idle():
            return False
        if self._camera.built_for is not self._camera.policy:
            return self._rebuild()
        if self._camera.keylist is self._camera.sealing or self._trial is not None or self._gave_up:
            return False
        self._begin()
        return True

    def _is_idle(self):
        camera = self._camera
        if camera.recorder is None or camera.recorder.recording or camera.drilled == 0:
            return False
        if camera.docked or camera.replay.state is not None:
            return False
        return camera.fault is None and camera.card_fault is None and not camera.card.dead

    def _rebuild(self):
        """The recorder with the sizes of a policy that came since it was built."""
        camera = self._camera
        camera.logbook.close(REASON_LIMIT)
        camera.card.unmount()
        camera.insert_card()
        return True

    def _begin(self):
        camera = self._camera
        self._seal_for(camera.keylist)
        try:
            camera.recorder.start(trial=True)
            self._began = camera.clock.ms()
        except SealcamError as fault:  # the recorder has logged why
            camera.say("- no trial recording: %s" % type(fault).__name__)
            self._give_up(True)

    def _film_on(self):
        camera = self._camera
        if not camera.recorder.recording:
            self._give_up(camera.recorder.fault is not None)  # a dock that ended it is no fault
            return True
        if camera.clock.ms() - self._began < TRIAL_MS and not camera.source.ended:
            return False
        self.end_trial(True)
        return True

    def end_trial(self, whole: bool = False) -> None:
        """Stop a trial that is being filmed; one that is not whole is an ordinary recording, made again
        later.
        """
        if self._began < 0:
            return
        camera = self._camera
        try:
            camera.recorder.stop()
            if whole:
                camera.keystore.keep_next_trial(camera.keylist.version, camera.recorder.h_core)
                self._trial = camera.recorder.h_core
        finally:
            self._began = -1
            self._seal_for(camera.sealing)

    def _give_up(self, for_good):
        self._began, self._gave_up = -1, for_good
        self._seal_for(self._camera.sealing)

    def card_came(self) -> None:
        """Another card, or the same again: a trial may be tried again."""
        self._gave_up = False
        self._began = -1
