internal import Settings

/// What carries a route's sessions: plain data, for the request path.
enum CarrierKind {
    case cookie
    /// A field of the application, whose name its codec has.
    case field

    init(_ carrier: SessionCarrier) {
        self =
            switch carrier {
            case .cookie: .cookie
            case .header: .field
            }
    }
}
