/// The type of a file's content, by the ending of its name.
package struct MediaType: Sendable {
    package let name: StaticString
    /// It is worth being compressed: text, and what is like it.
    package let isCompressible: Bool

    /// Of a file whose ending says nothing: browsers save it.
    static let unknown = MediaType(name: "application/octet-stream", isCompressible: false)

    /// The type of a file.
    ///
    /// - Parameter path: of the file; what follows the last dot of its name counts, in any case.
    package init(of path: Span<UInt8>) {
        var dot = path.count &- 1
        var key: UInt128 = 0
        var shift: UInt128 = 0
        while dot >= 0, path[dot] != UInt8(ascii: "."), path[dot] != UInt8(ascii: "/"), shift < 128
        {
            key |= UInt128(Octets.lowered(path[dot])) << shift
            shift += 8
            dot &-= 1
        }
        guard dot >= 0, path[dot] == UInt8(ascii: "."), shift > 0,
            let known = Self.table[key]
        else {
            self = .unknown
            return
        }
        self = known
    }

    private init(name: StaticString, isCompressible: Bool) {
        self.name = name
        self.isCompressible = isCompressible
    }

    /// By the ending, its last letter in the lowest octet.
    private static let table: [UInt128: MediaType] = {
        var table: [UInt128: MediaType] = [:]
        for (name, endings) in compressible {
            for ending in endings { table[key(ending)] = .init(name: name, isCompressible: true) }
        }
        for (name, endings) in others {
            for ending in endings { table[key(ending)] = .init(name: name, isCompressible: false) }
        }
        return table
    }()

    private static func key(_ ending: String) -> UInt128 {
        precondition(ending.utf8.count <= 16)
        return ending.utf8.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The endings in the table; for its test.
    static var endings: [String] { (compressible + others).flatMap { $0.1 } }

    private static let compressible: [(StaticString, [String])] = [
        ("text/html; charset=utf-8", ["html", "htm", "shtml"]),
        ("text/css; charset=utf-8", ["css"]),
        ("text/javascript; charset=utf-8", ["js", "mjs", "cjs"]),
        ("application/json; charset=utf-8", ["json", "map"]),
        ("application/ld+json; charset=utf-8", ["jsonld"]),
        ("application/geo+json; charset=utf-8", ["geojson"]),
        ("application/manifest+json; charset=utf-8", ["webmanifest"]),
        ("application/jsonl; charset=utf-8", ["jsonl", "ndjson"]),
        ("text/plain; charset=utf-8", ["txt", "text", "log", "conf", "ini", "toml"]),
        ("text/markdown; charset=utf-8", ["md", "markdown"]),
        ("text/csv; charset=utf-8", ["csv"]),
        ("text/tab-separated-values; charset=utf-8", ["tsv"]),
        ("text/xml; charset=utf-8", ["xml", "xsl", "xsd"]),
        ("text/calendar; charset=utf-8", ["ics"]),
        ("text/vcard; charset=utf-8", ["vcf"]),
        ("text/vtt; charset=utf-8", ["vtt"]),
        ("text/x-component; charset=utf-8", ["htc"]),
        ("application/yaml; charset=utf-8", ["yaml", "yml"]),
        ("application/xhtml+xml", ["xhtml", "xht"]),
        ("application/atom+xml", ["atom"]),
        ("application/rss+xml", ["rss"]),
        ("application/gpx+xml", ["gpx"]),
        ("application/vnd.google-earth.kml+xml", ["kml"]),
        ("application/mathml+xml", ["mathml"]),
        ("image/svg+xml", ["svg"]),
        ("image/bmp", ["bmp"]),
        ("image/vnd.microsoft.icon", ["ico", "cur"]),
        ("application/wasm", ["wasm"]),
        ("application/rtf", ["rtf"]),
        ("application/postscript", ["ps", "eps", "ai"]),
        ("application/vnd.ms-fontobject", ["eot"]),
        ("font/ttf", ["ttf"]),
        ("font/otf", ["otf"]),
        ("font/collection", ["ttc"]),
        ("model/gltf+json", ["gltf"]),
        ("model/obj", ["obj"]),
    ]

    private static let others: [(StaticString, [String])] = [
        ("image/png", ["png"]), ("image/apng", ["apng"]),
        ("image/jpeg", ["jpg", "jpeg", "jfif"]),
        ("image/gif", ["gif"]), ("image/webp", ["webp"]), ("image/avif", ["avif"]),
        ("image/heic", ["heic"]), ("image/heif", ["heif"]), ("image/jxl", ["jxl"]),
        ("image/tiff", ["tif", "tiff"]),
        ("audio/mpeg", ["mp3"]), ("audio/mp4", ["m4a"]), ("audio/aac", ["aac"]),
        ("audio/ogg", ["oga", "ogg", "opus"]), ("audio/wav", ["wav"]), ("audio/flac", ["flac"]),
        ("audio/midi", ["mid", "midi"]), ("audio/webm", ["weba"]),
        ("video/mp4", ["mp4", "m4v"]), ("video/webm", ["webm"]), ("video/ogg", ["ogv"]),
        ("video/mpeg", ["mpeg", "mpg"]), ("video/quicktime", ["mov"]),
        ("video/x-matroska", ["mkv"]), ("video/x-msvideo", ["avi"]),
        ("video/mp2t", ["ts", "m2ts"]),
        ("video/3gpp", ["3gp"]),
        ("application/vnd.apple.mpegurl", ["m3u8"]), ("application/dash+xml", ["mpd"]),
        ("font/woff", ["woff"]), ("font/woff2", ["woff2"]),
        ("application/pdf", ["pdf"]), ("application/epub+zip", ["epub"]),
        ("application/zip", ["zip"]), ("application/gzip", ["gz", "tgz"]),
        ("application/zstd", ["zst"]), ("application/x-bzip2", ["bz2"]),
        ("application/x-xz", ["xz"]), ("application/x-tar", ["tar"]),
        ("application/x-7z-compressed", ["7z"]), ("application/vnd.rar", ["rar"]),
        ("application/java-archive", ["jar"]),
        ("application/vnd.android.package-archive", ["apk"]),
        ("application/vnd.sqlite3", ["sqlite", "db"]),
        ("application/vnd.apache.parquet", ["parquet"]),
        ("application/msword", ["doc"]), ("application/vnd.ms-excel", ["xls"]),
        ("application/vnd.ms-powerpoint", ["ppt"]),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ["docx"]),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ["xlsx"]),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ["pptx"]),
        ("application/vnd.oasis.opendocument.text", ["odt"]),
        ("application/vnd.oasis.opendocument.spreadsheet", ["ods"]),
        ("application/vnd.oasis.opendocument.presentation", ["odp"]),
        ("model/gltf-binary", ["glb"]), ("model/stl", ["stl"]),
    ]
}
