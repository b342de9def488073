/// The duties that work on a loop's exchanges, from the bottom up: each knows only those above it
/// in this list.
struct Duties {
    let abandoned: AbandonedRequests
    let slots: Slots
    let handover: Handover
    let clientEnds: ClientEnds
    let answers: OwnAnswers
    let files: FilePump
    let requests: RequestPump
    let tunnels: TunnelPump
    let responses: ResponsePump
    let connector: Connector
    let placement: Placement
    let intake: Intake
    let overdue: Overdue

    init(_ owners: Owners) {
        abandoned = AbandonedRequests(owners)
        slots = Slots(owners)
        let kept = KeptConnections(owners)
        let processEnds = ProcessEnds(owners, slots: slots, kept: kept, abandoned: abandoned)
        handover = Handover(owners, slots: slots)
        clientEnds = ClientEnds(
            owners, kept: kept, slots: slots, processEnds: processEnds, handover: handover)
        answers = OwnAnswers(
            owners, slots: slots, processEnds: processEnds, clientEnds: clientEnds)
        files = FilePump(owners, clientEnds: clientEnds)
        let sessions = Sessions(owners)
        let carriers = SessionCarriers(owners, sessions: sessions)
        let heads = Heads(owners, carriers: carriers)
        let bodies = RequestBodies(owners)
        let retries = Retries(owners, slots: slots, processEnds: processEnds, answers: answers)
        requests = RequestPump(
            owners, heads: heads, bodies: bodies, retries: retries, answers: answers,
            clientEnds: clientEnds)
        tunnels = TunnelPump(
            owners, clientEnds: clientEnds, heads: heads, carriers: carriers)
        responses = ResponsePump(
            owners, heads: heads, bodies: bodies, carriers: carriers, retries: retries,
            answers: answers, processEnds: processEnds, clientEnds: clientEnds, tunnels: tunnels)
        connector = Connector(
            owners, kept: kept, abandoned: abandoned, retries: retries, requests: requests)
        placement = Placement(
            owners, slots: slots, answers: answers, clientEnds: clientEnds, connector: connector,
            sessions: sessions)
        intake = Intake(
            owners, handover: handover, answers: answers, clientEnds: clientEnds,
            requests: requests, placement: placement, carriers: carriers,
            scripts: Scripts(owners, answers: answers, clientEnds: clientEnds),
            files: FileAnswers(
                owners, answers: answers, clientEnds: clientEnds, pump: files))
        overdue = Overdue(
            owners, requests: requests, placement: placement, answers: answers,
            processEnds: processEnds, clientEnds: clientEnds)
    }
}
