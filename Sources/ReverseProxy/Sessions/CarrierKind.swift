internal import Settings

/// What carries a route's sessions: plain data, for the request path.
enum CarrierKind {
    case cookie
    /// A trusted proxy names the user; the cookie finds the session where nothing else is known.
    case user
    /// A field of the application, with a token behind its value.
    case field
    /// An id of the application in the request's target.
    case id

    init(_ affinity: AffinitySettings) {
        self =
            switch affinity.carrier {
            case .cookie: affinity.userField.isEmpty ? .cookie : .user
            case .header: .field
            case .query, .path: .id
            }
    }

    var isCookie: Bool {
        switch self {
        case .cookie, .user: true
        case .field, .id: false
        }
    }
}
