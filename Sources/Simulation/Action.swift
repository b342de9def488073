/// An action in one step of a group's run.
enum Action: String, CaseIterable {
    case request
    case finish
    case tunnel
    case leave
    case deliver
    case pass
    case passToDeadline
    case passLong
    case jump
    case crash
    case directSession
    case drain
    case operate
    case reset
    case advanceEarly
    case breakStarts

    /// The frequency in a thousand steps.
    private var share: Int {
        switch self {
        case .request: 300
        case .finish: 275
        case .tunnel: 17
        case .leave: 40
        case .deliver: 140
        case .pass: 120
        case .passToDeadline: 20
        case .passLong: 12
        case .jump: 6
        case .crash: 20
        case .directSession: 12
        case .drain: 4
        case .operate: 15
        case .reset: 1
        case .advanceEarly: 8
        case .breakStarts: 10
        }
    }

    private static let shares = allCases.map { ($0, $0.share) }

    static func draw(_ chance: Chance) -> Action { chance.pick("action", shares) }
}
