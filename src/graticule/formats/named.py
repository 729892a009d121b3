"""Formats that are known but not read: told by their first bytes or name, each with what to do.

Told by bytes first. A name alone decides where the bytes are those of another format that only holds a preview (slide
scanners), or say nothing.
"""

_READ = "TIFF or PNG"
_MICROSCOPE = f"save it as {_READ} with the maker's program or Fiji (Bio-Formats), one image a file, at full bit depth"
_PHOTO = f"save it as PNG or {_READ.split()[0]} with an image viewer, or as JPEG of high quality"
_DRAWING = "export it as PNG at the size that you want judged"
_NUMBERS = f"write its pictures as {_READ}, one image a file, with Fiji or a few lines of Python"
_ARCHIVE = "unpack it first"
_FILM = f"export its frames as {_READ}"
_SLIDE = f"export regions as {_READ} with QuPath or the maker's program"
_PAGES = "export its pictures as PNG"
_TABLE = "it holds no picture"

# first bytes, where they stand, name, what to do
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"ZISRAWFILE", "CZI (Zeiss)", _MICROSCOPE),
    (0, b"\xda\xce\xbe\x0a", "ND2 (Nikon)", _MICROSCOPE),
    (0, b"OLYMPUSRAWFORMAT", "OIR (Olympus)", _MICROSCOPE),
    (0, b"SIS\0", "ETS (Olympus)", _MICROSCOPE),
    (0, b"II\x97\x01", "SER (FEI)", _MICROSCOPE),
    (0, b"JK\0\x02", "EMI (FEI)", _MICROSCOPE),
    (0, b"AAMVHFSS", "BCF (Bruker)", _MICROSCOPE),
    (0, b"GWYP", "Gwyddion file", _MICROSCOPE),
    (0, b"\\*File list", "Bruker SPM file", _MICROSCOPE),
    (0, b"\\*Force file list", "Bruker SPM file", _MICROSCOPE),
    (0, b":NANONIS_VERSION:", "SXM (Nanonis)", _MICROSCOPE),
    (0, b"WSxM file", "WSxM file", _MICROSCOPE),
    (0, b"iiii", "Imspector file", _MICROSCOPE),
    (0, b"OMAS_BF\n\xff\xff", "OBF or MSR (Abberior)", _MICROSCOPE),
    (0, b"CDF\1", "NetCDF", _NUMBERS),
    (0, b"CDF\2", "NetCDF", _NUMBERS),
    (0, b"ics_version", "ICS", _MICROSCOPE),
    (208, b"MAP ", "MRC", _MICROSCOPE),
    (0, b"SIMPLE  =", "FITS", _NUMBERS),
    (0, b"NRRD000", "NRRD", _NUMBERS),
    (344, b"n+1\0", "NIfTI", _NUMBERS),
    (344, b"ni1\0", "NIfTI", _NUMBERS),
    (0, b"ObjectType", "MetaImage", _NUMBERS),
    (0, b"\x93NUMPY", "NumPy array", _NUMBERS),
    (0, b"MATLAB 5.0", "MATLAB file", _NUMBERS),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5", _NUMBERS),
    (0, b"\0\0\0\x0cjP  \r\n", "JPEG 2000", _PHOTO),  # as an old ND2 file does
    (0, b"\0\0\0\x0cJXL ", "JPEG XL", _PHOTO),
    (0, b"\xff\x0a", "JPEG XL", _PHOTO),
    (0, b"II\xbc", "JPEG XR", _PHOTO),
    (0, b"\x8aMNG", "MNG", _PHOTO),
    (0, b"\x8bJNG", "JNG", _PHOTO),
    (0, b"BPG\xfb", "BPG", _PHOTO),
    (0, b"FLIF", "FLIF", _PHOTO),
    (0, b"qoif", "QOI", _PHOTO),
    (0, b"P7\n", "PAM", _PHOTO),
    (0, b"\x01\xda", "SGI image", _PHOTO),
    (0, b"\x59\xa6\x6a\x95", "Sun raster image", _PHOTO),
    (0, b"\x76\x2f\x31\x01", "OpenEXR", _PHOTO),
    (0, b"#?RADIANCE", "Radiance HDR", _PHOTO),
    (0, b"#?RGBE", "Radiance HDR", _PHOTO),
    (0, b"SDPX", "DPX", _PHOTO),
    (0, b"XPDS", "DPX", _PHOTO),
    (0, b"\x80\x2a\x5f\xd7", "Cineon", _PHOTO),
    (0, b"DDS ", "DDS", _PHOTO),
    (0, b"\xabKTX ", "KTX", _PHOTO),
    (0, b"gimp xcf", "GIMP file", _PHOTO),
    (0, b"8BPS", "Photoshop (PSD)", _PHOTO),
    (0, b"icns", "icon", _PHOTO),
    (0, b"\0\0\1\0", "icon", _PHOTO),
    (0, b"AT&TFORM", "DjVu", _PAGES),
    (0, b"%PDF", "PDF", _PAGES),
    (0, b"%!PS", "PostScript", _DRAWING),
    (0, b"\xc5\xd0\xd3\xc6", "EPS", _DRAWING),
    (40, b" EMF", "EMF drawing", _DRAWING),
    (0, b"\xd7\xcd\xc6\x9a", "WMF drawing", _DRAWING),
    (0, b"/* XPM", "XPM", _PHOTO),
    (0, b"FUJIFILMCCD-RAW", "camera raw", "RAF"),
    (0, b"IIU\0", "camera raw", "RW2"),
    (0, b"IIRO", "camera raw", "ORF"),
    (0, b"IIRS", "camera raw", "ORF"),
    (0, b"MMOR", "camera raw", "ORF"),
    (0, b"FOVb", "camera raw", "X3F"),
    (0, b"\0MRM", "camera raw", "MRW"),
    (6, b"HEAPCCDR", "camera raw", "CRW"),
    (8, b"CR\x02", "camera raw", "CR2"),
    (0, b"PK\x03\x04", "ZIP archive", _ARCHIVE),
    (0, b"\x1f\x8b", "gzip archive", _ARCHIVE),
    (0, b"BZh", "bzip2 archive", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip archive", _ARCHIVE),
    (0, b"Rar!", "RAR archive", _ARCHIVE),
    (0, b"\xfd7zXZ\0", "xz archive", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard archive", _ARCHIVE),
    (8, b"AVI ", "AVI video", _FILM),
    (0, b"\x1a\x45\xdf\xa3", "Matroska video", _FILM),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMV video", _FILM),
    (0, b"SQLite format 3\0", "SQLite database", _TABLE),
    (0, b"<svg", "SVG drawing", _DRAWING),
    (0, b"<!DOCTYPE svg", "SVG drawing", _DRAWING),
    (0, b"<!DOCTYPE", "HTML", _TABLE),
    (0, b"<html", "HTML", _TABLE),
)
_GENERAL = (b"mif1", b"msf1")
# brands of the ISO base media format (ISO/IEC 14496-12), the box that begins HEIC, AVIF, CR3 and videos
_BRANDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"avif", b"avis"), "AVIF", _PHOTO),
    ((b"crx ",), "camera raw", "CR3"),
    ((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"), "HEIC", _PHOTO),
    ((b"jxl ",), "JPEG XL", _PHOTO),
    ((b"jp2 ", b"jpx "), "JPEG 2000", _PHOTO),
    (_GENERAL, "HEIF", _PHOTO),
)
# what lies in a compound file (OLE, as old Office files) is told by the name
_COMPOUND = {
    ".oib": "OIB (Olympus)",
    ".zvi": "ZVI (Zeiss)",
    ".ipw": "IPW (Image-Pro)",
    ".txrm": "TXRM (Zeiss)",
    ".txm": "TXM (Zeiss)",
    ".xrm": "XRM (Zeiss)",
    ".fpx": "FlashPix",
    ".mix": "FlashPix",
}
_CONTAINERS = {".ims": "IMS (Imaris)", ".emd": "EMD", ".dream3d": "DREAM.3D file", ".nd2": "ND2 (Nikon)"}
# the file of this name is a preview; the picture lies in a folder or file beside it
_PREVIEWS = {".vsi": "VSI (Olympus)", ".mrxs": "MRXS (3DHISTECH)", ".vms": "VMS (Hamamatsu)", ".vmu": "VMU (Hamamatsu)"}
_BY_NAME = {
    **dict.fromkeys((".dm3", ".dm4", ".dm2"), "DM file (Gatan)"),
    ".czi": "CZI (Zeiss)",
    ".lif": "LIF (Leica)",
    ".lof": "LOF (Leica)",
    ".xlef": "XLEF (Leica)",
    ".nd2": "ND2 (Nikon)",
    ".oib": "OIB (Olympus)",
    ".oif": "OIF (Olympus)",
    ".oir": "OIR (Olympus)",
    ".poir": "POIR (Olympus)",
    ".ets": "ETS (Olympus)",
    ".ims": "IMS (Imaris)",
    ".spe": "SPE (Princeton Instruments)",
    ".ibw": "IBW (Igor)",
    ".jpk": "JPK file",
    ".spm": "SPM file",
    ".mrc": "MRC",
    ".rec": "MRC",
    ".ser": "SER (FEI)",
    ".emi": "EMI (FEI)",
    ".emd": "EMD",
    ".bcf": "BCF (Bruker)",
    ".sif": "SIF (Andor)",
    ".dv": "DV (DeltaVision)",
    ".r3d": "DV (DeltaVision)",
    ".pic": "PIC (Bio-Rad)",
    ".ics": "ICS",
    ".ids": "ICS",
    ".isyntax": "iSyntax (Philips)",
    ".tdms": "TDMS (National Instruments)",
    ".raw": "raw values without a header",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
}
_RAW_NAMES = ("arw", "cr2", "cr3", "crw", "dcr", "erf", "iiq", "kdc", "mef", "mos", "mrw", "nef", "nrw", "orf", "pef")
_RAW_SUFFIXES = {f".{kind}": kind.upper() for kind in (*_RAW_NAMES, "raf", "rw2", "rwl", "sr2", "srw", "x3f", "3fr")}


def camera_raw(kind: str) -> str:
    """The cause of refusal of a file of camera raw data.

    Parameters
    ----------
    kind : str
        Such as "DNG"; "" where it is not known.
    """
    named = f" ({kind})" if kind else ""
    return (
        f"camera raw{named} is not supported: develop it to TIFF or PNG with the camera's program, darktable or "
        "RawTherapee, all images with the same settings"
    )


def only_a_preview(suffix: str) -> str:
    """The cause of refusal where a file of this name holds a preview of a picture that lies elsewhere; else ""."""
    name = _PREVIEWS.get(suffix)
    return _cause(name, f"this file holds a preview alone; {_SLIDE}") if name else ""


def named_format(data: bytes, suffix: str) -> str:
    """The cause of refusal of a format that is known but not read, with what to do; "" for an unknown one.

    Parameters
    ----------
    data : bytes
    suffix : str
        Of the file's name, lower case, with its dot.
    """
    for at, start, name, advice in _SIGNATURES:
        if data[at : at + len(start)] == start:
            inner = _CONTAINERS.get(suffix) if name in ("HDF5", "JPEG 2000") else None
            return _cause(inner, _MICROSCOPE) if inner else _cause(name, advice)
    if data[4:8] == b"ftyp":
        return _by_brand(data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        inner = _COMPOUND.get(suffix)
        general = "a compound file (OIB, ZVI, or a document)"
        return _cause(inner or general, _MICROSCOPE)
    if data[:4] == b"p\0\0\0" and data[8:9] == b"*":
        return _cause("LIF (Leica)", _MICROSCOPE)
    if _is_digital_micrograph(data):
        return _cause(f"DM{data[3]} (Gatan)", _MICROSCOPE)
    if data[54:56] == b"\x39\x30" and suffix == ".pic":
        return _cause("PIC (Bio-Rad)", _MICROSCOPE)
    return _by_text(data) or _by_suffix(suffix)


def _cause(name: str, advice: str) -> str:
    return camera_raw(advice) if name == "camera raw" else f"{name} is not supported: {advice}"


def _by_brand(data: bytes) -> str:
    """HEIC, AVIF, CR3 or a video, by the main brand of the first box, then by those it is compatible with."""
    length = min(max(16, int.from_bytes(data[:4], "big")), 256)
    listed = [data[8:12], *(data[at : at + 4] for at in range(16, length, 4))]
    # the general brand says how it is stored; a brand beside it says what it is
    for brands in ([brand for brand in listed[:1] if brand not in _GENERAL], listed):
        for known, name, advice in _BRANDS:
            if set(known) & set(brands):
                return _cause(name, advice)
    return _cause("MP4 or QuickTime video", _FILM)


def _is_digital_micrograph(data: bytes) -> bool:
    """Whether bytes begin as a file of Gatan's DigitalMicrograph: version, length, and 0 or 1 for the byte order."""
    order = {3: 8, 4: 12}.get(int.from_bytes(data[:4], "big"))
    return order is not None and data[order : order + 4] in (b"\0\0\0\0", b"\0\0\0\1") and len(data) > order + 4


def _by_text(data: bytes) -> str:
    """Drawings and descriptions that are text, in whatever encoding."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode("utf-8")
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"<?xml", b"<!--", b"<svg")):
        drawing = b"<svg" in head or b"svg:svg" in head
        return _cause("SVG drawing", _DRAWING) if drawing else _cause("XML", _TABLE)
    if head.startswith(b"[") and b"OIF" in head.upper():
        return _cause("OIF (Olympus)", _MICROSCOPE)
    return ""


def _by_suffix(suffix: str) -> str:
    if suffix in _RAW_SUFFIXES:
        return _cause("camera raw", _RAW_SUFFIXES[suffix])
    name = _BY_NAME.get(suffix)
    return _cause(f"{name}, by the name of the file,", _MICROSCOPE) if name else ""
