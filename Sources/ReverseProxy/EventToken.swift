/// The content of an event's token: which slab, which entry, which tenant.
struct EventToken {
    enum Kind {
        case downstream, upstream, listener, wake
    }

    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(_ kind: Kind, entry: Int, serial: UInt32) {
        let bits: UInt64 =
            switch kind {
            case .downstream: 0
            case .upstream: 1
            case .listener: 2
            case .wake: 3
            }
        rawValue =
            bits << 62 | UInt64(truncatingIfNeeded: entry) << 32 & (0x3fff_ffff << 32)
            | UInt64(serial)
    }

    var kind: Kind {
        switch rawValue >> 62 {
        case 0: .downstream
        case 1: .upstream
        case 2: .listener
        default: .wake
        }
    }
    var entry: Int { Int(rawValue >> 32 & 0x3fff_ffff) }
    var serial: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
