"""What a virtual machine boots into: a root file system in memory, made of this machine's parts."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from support.parts import absent, need

_DRIVERS = "virtio_pci virtio_blk virtio_scsi virtio_net sr_mod".split()
_FILE_SYSTEMS = "isofs vfat nls_ascii nls_cp437 nls_utf8 nls_iso8859-1".split()
_PROGRAMS = "blkid mount umount".split()  # that cloud-init runs, with options busybox's have not
# What cloud-init imports beside the standard library (requirements/test.in).
_LIBRARIES = "configobj Jinja2 jsonpatch jsonschema oauthlib PyYAML requests".split()
_NOT_NEEDED = shutil.ignore_patterns(
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo"),
    *("ensurepip", "lib2to3", "config-*", "*.opt-?.pyc"),
)


class Kernel(NamedTuple):
    """Debian's kernel for clouds."""

    image: Path
    version: str


def kernel() -> Kernel:
    """The newest on this machine; without one the test is skipped or fails (:func:`absent`)."""
    for image in sorted(Path("/boot").glob("vmlinuz-*-cloud-amd64"), reverse=True):
        version = image.name.removeprefix("vmlinuz-")
        if Path("/lib/modules", version).is_dir():
            return Kernel(image, version)
    absent("there is no kernel of Debian's linux-image-cloud-amd64 in /boot")


class Root:
    """A directory that becomes an archive for the kernel to unpack; later archives add to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, source: Path, target: str | Path | None = None) -> None:
        """A file or a tree, at its own path or at `target`; links are followed."""
        path = self.directory / str(target or source).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, path, ignore=_NOT_NEEDED)
        elif not path.exists():
            shutil.copy2(source, path)

    def put_program(self, program: Path, target: Path | None = None) -> None:
        """A program or a library, with the shared libraries it is linked to."""
        self.put(program, target)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        for library in re.findall(r"(/\S+) \(0x", linked.stdout):
            self.put(Path(library))

    def pack(self, archive: Path) -> Path:
        """Write it all into `archive`."""
        names = sorted(str(path.relative_to(self.directory)) for path in self._all())
        with archive.open("wb") as output:
            subprocess.run(
                [need("busybox"), "cpio", "-o", "-H", "newc"],
                input="\n".join(names).encode(),
                cwd=self.directory,
                stdout=output,
                stderr=subprocess.DEVNULL,
                check=True,
            )
        return archive

    def _all(self) -> Iterator[Path]:
        return self.directory.rglob("*")


def machine_root(directory: Path, version: str) -> Root:
    """Busybox, kernel modules, this Python with what cloud-init imports, our tools, the script."""
    root = Root(directory)
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "var/lib"):
        (directory / name).mkdir(parents=True)
    root.put(Path(need("busybox")), "bin/busybox")
    for number, module in enumerate(_modules(version)):
        root.put(module, f"modules/{number:02}-{module.name}")
    for name in _PROGRAMS:
        root.put_program(Path(need(name)), Path("usr/bin", name))
    _put_python(root)
    here = Path(__file__).parent
    root.put(here / "root" / "boot", "init")
    root.put(here / "driver.py", "driver.py")
    _put_tools(root)
    (directory / "etc").mkdir()
    (directory / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (directory / "etc/os-release").write_text("NAME=Debian\nID=debian\nVERSION_ID=12\n")
    return root


def _put_tools(root: Root) -> None:
    """The zipapp as `make guest` makes it, where the image element puts it."""
    target = root.directory / "usr/local/bin"
    maker = Path(__file__).parents[2] / "guest" / "make_zipapp.py"
    with TemporaryDirectory() as made:
        subprocess.run([sys.executable, maker, made], check=True, stdout=subprocess.DEVNULL)
        root.put(
            Path(made, "firstlight-guest.pyz"),
            target.relative_to(root.directory) / "firstlight-guest",
        )


def _modules(version: str) -> Iterable[Path]:
    """In an order in which they can be loaded."""
    found: dict[Path, None] = {}
    for name in (*_DRIVERS, *_FILE_SYSTEMS):
        command = [need("modprobe"), "-S", version, "--show-depends", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        loads = (line.split() for line in done.stdout.splitlines())
        found |= {Path(words[1]): None for words in loads if words[0] == "insmod"}
    return found


def _put_python(root: Root) -> None:
    """The interpreter at its own path, so that it finds its library at its own, too."""
    base = {"base": sys.base_prefix, "installed_base": sys.base_prefix}
    library = Path(sysconfig.get_path("stdlib", vars=base))
    program = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    root.put(library)
    root.put_program(program)
    (root.directory / "python").write_text(str(program))
    for distribution in _closure(_LIBRARIES):
        for file in distribution.files or ():
            if not str(file).startswith("..") and Path(file.locate()).is_file():
                root.put(Path(file.locate()), Path("site", file))
    extensions = [*root.directory.rglob("lib-dynload/*.so"), *root.directory.glob("site/**/*.so")]
    for extension in extensions:
        root.put_program(extension, extension.relative_to(root.directory))


def _closure(names: Iterable[str]) -> Iterator[metadata.Distribution]:
    """These distributions, and those they require."""
    waiting, known = list(names), set()
    for name in waiting:  # which grows meanwhile
        if name.lower() not in known:
            known.add(name.lower())
            distribution = metadata.distribution(name)
            yield distribution
            required = (line for line in distribution.requires or () if "extra ==" not in line)
            waiting += [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required]
