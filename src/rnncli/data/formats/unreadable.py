"""Files that rnncli does not read: what they are, and the command that gets the records out, if there is one."""

from __future__ import annotations

import os
import shlex
from typing import NamedTuple

from rnncli.errors import DataError


class Unreadable(NamedTuple):
    """One kind of such files.

    Attributes:
        what: what they are.
        suffixes: endings of their names.
        magic: what they begin with, one or several.
        way: what to do about it; FILE is the file, MADE the name of one that is made of it.
    """

    what: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    way: str


# The arrays ``a``: of all the one of most dimensions has the inputs, and one of as many values their labels.
_RECORDS = (
    "x=max(a,key=np.ndim);y=[v for v in a if v.ndim==1<x.ndim and len(v)==len(x)];"
    '[print(json.dumps({"sequence" if x.ndim>1 else "value":r.tolist(),**({"label":str(y[0][i])} if y else {})})) '
    "for i,r in enumerate(x)]"
)
_TRAINING_FIRST = 'sorted(d,key=lambda k:"test" in k or "val" in k)'
_SPECTRA = (
    'import json,sys,wave,numpy as np;[print(json.dumps({"sequence":[np.log1p([b.mean() for b in '
    "np.array_split(abs(np.fft.rfft(f)),16)]).round(4).tolist() for f in x[:len(x)//n*n].reshape(-1,n)]})) "
    "for p in sys.argv[1:] for w in [wave.open(p)] for n in [w.getframerate()//50] "
    'for x in [np.frombuffer(w.readframes(w.getnframes()),"<i2")[::w.getnchannels()]]]'
)
_PIXELS = (
    "import json,sys,numpy as np;from PIL import Image;"
    '[print(json.dumps({"sequence":np.asarray(Image.open(p).convert("L")).tolist()})) for p in sys.argv[1:]]'
)


def _python(script: str) -> str:
    return f"python3 -c {shlex.quote(script)} FILE > MADE.jsonl"


def _arrays(read: str) -> str:
    return f"To write JSON lines of its records: {_python(f'import json,sys,numpy as np;{read};{_RECORDS}')}"


def _loaded(module: str, mapping: str) -> str:
    return _arrays(f"import {module};d={mapping};a=[np.array(d[k]) for k in {_TRAINING_FIRST}]")


_UNPACK = "Unpack it, and name what is in it"
_WEIGHTS = "rnncli opens its own models, with --model, and trains on data"

# The first whose ending, or beginning, fits. A zip has many endings.
KINDS = (
    Unreadable(
        "a NumPy array",
        (".npy",),
        (b"\x93NUMPY",),
        _arrays("a=[np.load(p) for p in sys.argv[1:]]"),
    ),
    Unreadable(
        "an archive of NumPy arrays",
        (".npz",),
        (),
        _arrays(f"d=np.load(sys.argv[1]);a=[d[k] for k in {_TRAINING_FIRST}]"),
    ),
    Unreadable(
        "a pickle",
        (".pkl", ".pickle", ".joblib"),
        tuple(bytes((0x80, version)) for version in range(2, 6)),
        "A pickle can run any code as it is opened. Where you trust it, and it is a table of pandas: "
        + _python('import sys,pandas;pandas.read_pickle(sys.argv[1]).to_json(sys.stdout,orient="records",lines=True)'),
    ),
    Unreadable(
        "a file of MATLAB",
        (".mat",),
        (b"MATLAB ",),
        _loaded("scipy.io", '{k:v for k,v in scipy.io.loadmat(sys.argv[1],squeeze_me=True).items() if k[:1]!="_"}'),
    ),
    Unreadable("an HDF5 file", (".h5", ".hdf5"), (b"\x89HDF\r\n",), _loaded("h5py", "h5py.File(sys.argv[1])")),
    Unreadable(
        "a recording of sound", (".wav",), (b"RIFF",), f"To write its spectrum 50 times a second: {_python(_SPECTRA)}"
    ),
    Unreadable(
        "a compressed recording of sound",
        (".mp3", ".flac", ".ogg", ".m4a"),
        (b"ID3", b"fLaC", b"OggS"),
        "Convert it, and name the new file: ffmpeg -i FILE MADE.wav",
    ),
    Unreadable(
        "an image",
        (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"),
        (b"\x89PNG", b"\xff\xd8\xff", b"GIF8"),
        f"To write its rows of pixels, a timestep each: {_python(_PIXELS)}",
    ),
    Unreadable("a PDF document", (".pdf",), (b"%PDF-",), "To write its text: pdftotext FILE MADE.txt"),
    Unreadable(
        "a document of a word processor",
        (".docx", ".doc", ".odt", ".rtf", ".epub"),
        (b"{\\rtf1",),
        "To write its text: pandoc -t plain FILE -o MADE.txt",
    ),
    Unreadable("a workbook", (".xls", ".ods"), (), "Save the sheet as CSV UTF-8"),
    Unreadable(
        "a database",
        (".db", ".sqlite", ".sqlite3"),
        (b"SQLite format",),
        "To write a table of it: sqlite3 -header -csv FILE 'select * from TABLE' > MADE.csv",
    ),
    Unreadable(
        "a table of a statistics program",
        (".dta", ".sav", ".sas7bdat", ".rds", ".rdata"),
        (),
        "Save it as CSV there",
    ),
    Unreadable("a model of another program", (".safetensors", ".pt", ".pth", ".ckpt", ".onnx", ".keras"), (), _WEIGHTS),
    Unreadable(
        "an archive",
        (".zip", ".7z", ".tar", ".tgz", ".rar", ".bz2", ".xz", ".zst"),
        (b"7z\xbc\xaf", b"BZh"),
        _UNPACK,
    ),
)
SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)
MAGIC = {magic: kind for kind in KINDS for magic in kind.magic}


def begun(head: bytes, name: str) -> DataError | None:
    """The refusal of a file that begins like one of these; what could be a first word has NULs behind it."""
    for magic, kind in MAGIC.items():
        if head.startswith(magic) and (b"\0" in head or not magic.replace(b" ", b"").isalnum()):
            return DataError(
                f"{name}: looks like {kind.what}, not text", _way(kind, "FILE" if name == "<stdin>" else name)
            )
    return None


def unreadable(*paths: str) -> DataError | None:
    """The refusal of a file that ends like one of these, with the command that gets its records out; None if none does.

    Args:
        paths: the file of the inputs, and perhaps that of their labels.
    """
    kind = next((kind for kind in KINDS if paths[0].lower().endswith(kind.suffixes)), None)
    if kind is None:
        return None
    files = paths if len(paths) > 1 else (paths[0], *_labels_of(paths[0]))
    return DataError(f"{' and '.join(paths)}: this is {kind.what}, which rnncli does not read", _way(kind, *files))


def _way(kind: Unreadable, *paths: str) -> str:
    made = f"{os.path.basename(paths[0]).rpartition('.')[0] or 'data'}-2"
    return kind.way.replace("FILE", " ".join(map(shlex.quote, paths))).replace("MADE", shlex.quote(made))


def _labels_of(path: str) -> list[str]:
    """The array beside one that is called X, if it is called y."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f"y{name[1:]}")
    return [beside] if name[:1] in "xX" and name.endswith(".npy") and os.path.isfile(beside) else []
