/// What works on a loop's exchanges, from the bottom up: each knows those above it in this list only.
struct Duties {
    let slots: Slots
    let processEnds: ProcessEnds
    let handover: Handover
    let clientEnds: ClientEnds
    let answers: OwnAnswers
    let requests: RequestPump
    let tunnels: TunnelPump
    let responses: ResponsePump
    let connector: Connector
    let placement: Placement
    let intake: Intake
    let overdue: Overdue

    init(_ owners: Owners) {
        slots = Slots(owners)
        processEnds = ProcessEnds(owners, slots: slots)
        handover = Handover(owners, slots: slots)
        clientEnds = ClientEnds(
            owners, slots: slots, processEnds: processEnds, handover: handover)
        answers = OwnAnswers(
            owners, slots: slots, processEnds: processEnds, clientEnds: clientEnds)
        let retries = Retries(owners, slots: slots, processEnds: processEnds, answers: answers)
        requests = RequestPump(owners, retries: retries, answers: answers, clientEnds: clientEnds)
        tunnels = TunnelPump(owners, clientEnds: clientEnds)
        responses = ResponsePump(
            owners, retries: retries, answers: answers, processEnds: processEnds,
            clientEnds: clientEnds, tunnels: tunnels)
        connector = Connector(owners, retries: retries, requests: requests)
        placement = Placement(
            owners, slots: slots, answers: answers, clientEnds: clientEnds, connector: connector)
        intake = Intake(
            owners, handover: handover, answers: answers, clientEnds: clientEnds,
            requests: requests, placement: placement)
        overdue = Overdue(
            owners, requests: requests, placement: placement, answers: answers,
            processEnds: processEnds, clientEnds: clientEnds)
    }
}
