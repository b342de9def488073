/// The source of an exchange's response.
enum ResponseSource: Equatable {
    /// Not known yet: the request waits for a slot, or for a connection to its process.
    ///
    /// Can transition to: process, ownAnswer, file, fileSent.
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
    /// A file, as the transfer with this index.
    ///
    /// To: fileSent.
    case file(Int32)
    /// A file that is not read any more: its last bytes, or its head alone, are on their way.
    case fileSent

    @inline(__always)
    init(process index: Int) { self = .process(Int32(truncatingIfNeeded: index)) }

    /// The index of the connection to the process, while there is one.
    @inline(__always)
    var connection: Int? {
        switch self {
        case .process(let index): Int(index)
        case .undecided, .finished, .ownAnswer, .file, .fileSent: nil
        }
    }

    /// The index of the transfer, while a file is sent.
    @inline(__always)
    var transfer: Int? {
        if case .file(let index) = self { Int(index) } else { nil }
    }

    /// It is a file, on its way or sent.
    var isFile: Bool {
        switch self {
        case .file, .fileSent: true
        case .undecided, .process, .finished, .ownAnswer: false
        }
    }

    /// The transition table: whether the next source may follow this one.
    func leads(to next: ResponseSource) -> Bool {
        switch self {
        case .undecided:
            switch next {
            case .process, .ownAnswer, .file, .fileSent: true
            case .undecided, .finished: false
            }
        case .process:
            switch next {
            case .undecided, .finished: true
            case .process, .ownAnswer, .file, .fileSent: false
            }
        case .finished:
            switch next {
            case .ownAnswer: true
            case .undecided, .process, .finished, .file, .fileSent: false
            }
        case .file:
            switch next {
            case .fileSent: true
            case .undecided, .process, .finished, .ownAnswer, .file: false
            }
        case .ownAnswer, .fileSent: false
        }
    }
}
