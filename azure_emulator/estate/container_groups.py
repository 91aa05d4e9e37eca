"""Container groups of Azure Container Instances: pulled, started, restarted in place, stopped.

Three states that are not one: the provisioning state, the state of the group, that of each container.
Source: Microsoft.ContainerInstance 2025-09-01 (a restart downloads an updated image) and
learn.microsoft.com/azure/container-instances/container-instances-update (an update restarts in
place). Whether a restart raises restartCount is documented nowhere: here it does not.
"""

from functools import partial
from typing import Any

from azure_emulator.container_group_seed import ContainerGroupBehaviour
from azure_emulator.estate.containers import WARNING, Container
from azure_emulator.estate.scoring import PREFIX, Credentials, SignIn, guid_of
from azure_emulator.estate.timeline import Event, Timeline
from azure_emulator.kubernetes.backends import Backends
from azure_emulator.kubernetes.images import Image, Images
from azure_emulator.scoring_seed import Answering, ScoringBehaviour

PULL_SECONDS, START_SECONDS = 4.0, 2.0
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 10.0, 300.0
# As many pulls fail before the provisioning has: Azure goes on trying all the same.
FAILED_PULLS = 3
CRASHED, KILLED, SIGNALLED = 1, 137, 128
# Real seconds between looks at a program that runs.
LOOK_EVERY = 0.05
_NOBODY = Answering(behaviour=ScoringBehaviour(no_replicas=True))


class ContainerGroup:
    """A group and its containers. `document` is what was PUT last, secure values included."""

    def __init__(
        self, name: str, *, resource_group_id: str, behaviour: ContainerGroupBehaviour
    ) -> None:
        self.name = name
        self.resource_group_id = resource_group_id
        self.id = (
            f"{resource_group_id}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
        )
        self.behaviour = behaviour
        self.guid = guid_of(self.id)
        self.document: dict[str, Any] = {}
        self.containers: dict[str, Container] = {}
        self.provisioning_state = "Pending"
        self.stopped = False
        self.effects = {"puts": 0, "restarts": 0, "starts": 0, "stops": 0}
        self.requests = 0
        # Nobody is asked for one.
        self.credentials = Credentials(token_lifetime_seconds=1)

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["properties"]
        return found

    @property
    def restart_policy(self) -> str:
        return str(self.properties.get("restartPolicy") or "Always")

    @property
    def state(self) -> str:
        """The word of `instanceView.state`."""
        states = [each.current for each in self.containers.values()]
        if self.stopped:
            return "Stopped"
        if (
            any(each.state == "Waiting" for each in states)
            and self.provisioning_state != "Succeeded"
        ):
            return "Pending"
        if all(each.state == "Terminated" for each in states):
            return "Failed" if any(each.exit_code for each in states) else "Succeeded"
        return "Running"

    @property
    def ended(self) -> bool:
        """Whether its restart policy let it come to its end."""
        return self.state in {"Succeeded", "Failed"}

    def image_of(self, name: str) -> str:
        """The image that a container is declared with."""
        containers = self.properties["containers"]
        return next(str(c["properties"]["image"]) for c in containers if c["name"] == name)

    # What the front end of scoring asks of whatever answers.

    @property
    def root(self) -> str:
        return f"{PREFIX}/{self.guid}"

    @property
    def sign_in(self) -> SignIn:
        return SignIn.NONE

    def choose(self, _wanted: str | None) -> Answering:
        """The first container answers while it runs: nothing routes past one that is not ready."""
        self.requests += 1
        if self.behaviour.never_gets_an_address:
            return _NOBODY
        first = next(iter(self.containers.values()))
        ready = first.running and first.image is not None and first.image.seed.starts == "ready"
        return first.answering if ready and first.answering else _NOBODY


class ContainerInstances:
    """The machines under all groups, and the programs that run on them."""

    def __init__(self, timeline: Timeline, images: Images) -> None:
        self._timeline = timeline
        self._images = images
        self._programs = Backends()

    def close(self) -> None:
        """End every program."""
        self._programs.end_all()

    def settle(self, group: ContainerGroup, *, since: float, stopped: bool) -> None:
        """Let a group of the seed have run since a moment; images that do worse begin now."""
        group.containers = _containers(group)
        if stopped:
            self._end_all(group)
            return
        for container in group.containers.values():
            image = self._images.pull(group.image_of(container.name))
            if image is None or image.seed.starts != "ready":
                self._begin(group, container, self._timeline.clock.now())
                continue
            self._pulled(group, container, image, at=since)
            self._execute(group, container, image, at=since)
        self._take_stock(group)

    def put(self, group: ContainerGroup, document: dict[str, Any]) -> None:
        """Become what the document says: every container is started anew, in place."""
        group.effects["puts"] += 1
        known = group.containers
        group.document = document
        group.containers = {
            name: known.get(name, container) for name, container in _containers(group).items()
        }
        for name in known.keys() - group.containers.keys():
            known[name].run += 1
            self._end_program(group, known[name])
        group.provisioning_state = "Pending"
        group.stopped = False
        self._start_anew(group)

    def restart(self, group: ContainerGroup) -> None:
        """Start every container anew, in place: what their tags lead to now is pulled."""
        group.effects["restarts"] += 1
        self._start_anew(group)

    def start(self, group: ContainerGroup) -> None:
        """Place a stopped group anew."""
        group.effects["starts"] += 1
        group.stopped = False
        group.provisioning_state = "Pending"
        group.containers = _containers(group)
        self._start_anew(group)

    def stop(self, group: ContainerGroup) -> None:
        """Free the machine: nothing of the containers is left."""
        group.effects["stops"] += 1
        self._end_all(group)

    def delete(self, group: ContainerGroup) -> None:
        """End what runs: nothing more happens to the group."""
        self._end_all(group)

    def _end_all(self, group: ContainerGroup) -> None:
        group.stopped = True
        group.provisioning_state = "Succeeded"
        for container in group.containers.values():
            container.run += 1
            self._end_program(group, container)
            container.end(at=self._timeline.clock.now(), exit_code=0)

    def _start_anew(self, group: ContainerGroup) -> None:
        for container in group.containers.values():
            container.run += 1
            begin = partial(self._replace, group, container, container.run)
            self._timeline.after(group.behaviour.begins_after_seconds, begin)
        self._timeline.advance()

    def _replace(self, group: ContainerGroup, container: Container, run: int, at: float) -> None:
        if container.run != run:
            return
        if container.running:
            container.happen("Killing", f"Killing container {container.name}", at=at)
            self._end_program(group, container)
            container.end(at=at, exit_code=KILLED)
        container.restarts = 0
        container.failed_pulls = 0
        self._begin(group, container, at)

    def _begin(self, group: ContainerGroup, container: Container, at: float) -> None:
        container.run += 1
        container.wait()
        self._later(partial(self._pull, group, container), container, at + self._real(PULL_SECONDS))

    def _pull(self, group: ContainerGroup, container: Container, at: float) -> None:
        reference = group.image_of(container.name)
        image = self._images.pull(reference)
        if image is None:
            self._not_pulled(group, container, reference, at)
            return
        self._pulled(group, container, image, at=at)
        run = partial(self._run, group, container, image)
        self._later(run, container, at + self._real(START_SECONDS))

    def _pulled(
        self, group: ContainerGroup, container: Container, image: Image, *, at: float
    ) -> None:
        container.image = image
        reference = group.image_of(container.name)
        named = reference if group.behaviour.events_without_digest else image.image_id
        container.happen("Pulling", f'pulling image "{named}"', at=at)
        container.happen("Pulled", f'Successfully pulled image "{named}"', at=at)

    def _not_pulled(
        self, group: ContainerGroup, container: Container, reference: str, at: float
    ) -> None:
        container.failed_pulls += 1
        problem = f'Failed to pull image "{reference}": manifest unknown'
        container.happen("Failed", problem, at=at, type_=WARNING)
        container.wait("ImagePullBackOff")
        if container.failed_pulls >= FAILED_PULLS:
            group.provisioning_state = "Failed"
        again = at + self._real(_backoff(container.failed_pulls))
        self._later(partial(self._pull, group, container), container, again)

    def _run(self, group: ContainerGroup, container: Container, image: Image, at: float) -> None:
        self._execute(group, container, image, at=at)
        self._take_stock(group)
        if image.seed.starts == "crashes":
            # At once: whether somebody looks while it runs is not left to chance.
            self._crash(group, container, image, CRASHED, at)

    def _execute(
        self, group: ContainerGroup, container: Container, image: Image, *, at: float
    ) -> None:
        container.start(at=at)
        owner = _owner(group, container)
        self._programs.start(owner, image.seed)
        container.answering = self._programs.answering(owner)
        if image.seed.command:
            self._watch(group, container, image, at)

    def _watch(self, group: ContainerGroup, container: Container, image: Image, at: float) -> None:
        """Let a container end with its program."""
        status = self._programs.exit_status(_owner(group, container))
        if status is not None:
            # As a shell has it: a signal's number above 128.
            code = status if status >= 0 else SIGNALLED - status
            self._crash(group, container, image, code, at)
            return
        again = partial(self._watch, group, container, image)
        self._later(again, container, self._timeline.clock.now() + LOOK_EVERY)

    def _crash(
        self, group: ContainerGroup, container: Container, image: Image, code: int, at: float
    ) -> None:
        self._end_program(group, container)
        container.end(at=at, exit_code=code)
        if group.restart_policy == "Never" or (code == 0 and group.restart_policy == "OnFailure"):
            return
        container.wait("CrashLoopBackOff: Back-off restarting failed container")
        container.happen("BackOff", "Back-off restarting failed container", at=at, type_=WARNING)
        container.restarts += 1
        again = at + self._real(_backoff(container.restarts))
        self._later(partial(self._run, group, container, image), container, again)

    def _end_program(self, group: ContainerGroup, container: Container) -> None:
        self._programs.end(_owner(group, container))
        container.answering = None

    def _take_stock(self, group: ContainerGroup) -> None:
        if all(each.running for each in group.containers.values()):
            group.provisioning_state = "Succeeded"

    def _later(self, event: Event, container: Container, moment: float) -> None:
        """Let an event happen unless the container was started anew before."""
        run = container.run
        self._timeline.at(moment, lambda at: event(at) if container.run == run else None)

    def _real(self, seconds: float) -> float:
        return seconds * self._timeline.clock.scale


def _owner(group: ContainerGroup, container: Container) -> str:
    return f"{group.id}/{container.name}"


def _containers(group: ContainerGroup) -> dict[str, Container]:
    names = [each["name"] for each in group.properties["containers"]]
    return {name: Container(name=name) for name in names}


def _backoff(times: int) -> float:
    return min(FIRST_BACKOFF_SECONDS * 2.0 ** (times - 1), LAST_BACKOFF_SECONDS)
