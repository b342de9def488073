/// The source of an exchange's response.
enum ResponseSource: Equatable {
    /// Not known yet: the request waits for a slot, or for a connection to its process.
    ///
    /// Can transition to: process, ownAnswer.
    case undecided
    /// A process, over the connection with this index.
    ///
    /// To: finished, and to undecided by a retry.
    case process(Int32)
    /// A process that is done.
    ///
    /// To: ownAnswer, if nothing of it has reached the client.
    case finished
    /// Mooring itself: an error, a page, a redirect.
    case ownAnswer

    @inline(__always)
    init(process index: Int) { self = .process(Int32(truncatingIfNeeded: index)) }

    /// The index of the connection to the process, while there is one.
    @inline(__always)
    var connection: Int? {
        switch self {
        case .process(let index): Int(index)
        case .undecided, .finished, .ownAnswer: nil
        }
    }

    /// The transition table: whether the next source may follow this one.
    func leads(to next: ResponseSource) -> Bool {
        switch self {
        case .undecided:
            switch next {
            case .process, .ownAnswer: true
            case .undecided, .finished: false
            }
        case .process:
            switch next {
            case .undecided, .finished: true
            case .process, .ownAnswer: false
            }
        case .finished:
            switch next {
            case .ownAnswer: true
            case .undecided, .process, .finished: false
            }
        case .ownAnswer: false
        }
    }
}
