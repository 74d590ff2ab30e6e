// Questions about the symmetry of a bank of inputs, answered live.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A bank of embedded inputs: distributions, rows, responses and forms under any settings.
///
/// Embeddings and poses are computed once; everything else is computed when asked for. Neighbours of
/// the whole bank are kept by metric, the last tables by their settings. Labels and true angles are
/// read for reports alone.
final class SymmetryBankSession<Backend: SymmetryBackend>: SymmetrySession, @unchecked Sendable {
    typealias Pose = Backend.Pose
    typealias Input = Backend.Input

    let backend: Backend
    let bank: SymmetryInputs<Input, Pose>
    let found: ClassPoses<Pose>
    let offer: SymmetryOffer
    var group: SymmetryGroup { Pose.group }
    var title: String { bank.title }
    var count: Int { bank.inputs.count }
    var labelNames: [String] { bank.labelNames }

    private let lock = NSLock()
    private var engines: [String: RECON<Pose>] = [:]
    private var secondLooks: [String: any SecondLook<Input, Pose>] = [:]
    /// Held while a second look is taken, so that two questions do not take the same.
    private let looking = NSLock()
    private var neighbourTables: [String: NeighbourTable] = [:]
    private var tables: [(settings: SymmetrySettings, distributions: [PoseDistribution<Pose>])] =
        []
    private var added: [(input: Input, name: String, found: ClassPoses<Pose>)] = []

    /// Embeds the inputs.
    ///
    /// - Throws: ``SymmetryError``, `CancellationError`.
    init(
        backend: Backend, inputs: SymmetryInputs<Input, Pose>, defaults: SymmetrySettings,
        cancellation: Cancellation, progress: @Sendable (Int, Int, String) -> Void
    ) throws {
        guard inputs.inputs.count > 2 else {
            throw SymmetryError.tooFewInputs(
                source: inputs.title, count: inputs.inputs.count, needed: 2)
        }
        self.backend = backend
        bank = inputs
        var found: ClassPoses<Pose>?
        let total = inputs.inputs.count
        for start in stride(from: 0, to: total, by: 256) {
            try cancellation.check()
            progress(start, total, "embedding")
            let part = try backend.classPoses(
                of: Array(inputs.inputs[start..<min(start + 256, total)]),
                cancellation: cancellation)
            if found == nil { found = part } else { found?.append(part) }
        }
        progress(total, total, "embedding")
        guard let found else {
            throw SymmetryError.tooFewInputs(
                source: inputs.title, count: 0, needed: 2)
        }
        self.found = found
        let isPlane = Pose.group == .so2
        var settings = defaults
        let standard = settings.neighbours
        settings.neighbours = NeighbourCount.standard(standard, among: total)
        let hasNetwork = (try? backend.amortised(inputs.inputs[0])) ?? nil
        offer = SymmetryOffer(
            largestNeighbours: min(500, total - 1),
            estimators: isPlane
                ? SymmetryEstimator.allCases
                : SymmetryEstimator.allCases.filter { $0 != .cyclic },
            families: isPlane
                ? SymmetryFamily.allCases : SymmetryFamily.allCases.filter { $0 != .cyclic },
            paths: hasNetwork == nil ? [.neighbours] : SymmetryPath.allCases,
            hasComponents: true,
            looks: backend.looksTwice ? SymmetryLook.allCases : [.first],
            notice: NeighbourCount.notice(settings.neighbours, of: standard, among: total),
            defaults: settings)
    }

    // MARK: Inputs

    func label(of input: Int) -> Int? {
        guard bank.labels.indices.contains(input), bank.labels[input] >= 0 else { return nil }
        return bank.labels[input]
    }

    func name(of input: Int) -> String {
        if bank.names.indices.contains(input) { return bank.names[input] }
        return lock.withLock {
            added.indices.contains(input - count) ? added[input - count].name : "input \(input)"
        }
    }

    func add(_ picture: RGBImage, name: String) throws -> Int {
        guard let input = backend.input(of: picture) else {
            throw SymmetryError.notOffered("way to read pictures")
        }
        let found = try backend.classPoses(of: [input], cancellation: Cancellation())
        return lock.withLock {
            added.append((input, name, found))
            return count + added.count - 1
        }
    }

    /// An input with its embedding and pose; those of the bank first, then added ones.
    private func entry(_ index: Int) throws -> (input: Input, found: ClassPoses<Pose>) {
        if bank.inputs.indices.contains(index) {
            return (bank.inputs[index], found.rows(index..<(index + 1)))
        }
        let extra = lock.withLock {
            added.indices.contains(index - count) ? added[index - count] : nil
        }
        guard let extra else { throw SymmetryError.noSuchInput(index, count: count) }
        return (extra.input, extra.found)
    }

    // MARK: Engines

    /// RECON under the settings; the bank of embeddings is prepared once for every metric.
    private func engine(_ settings: SymmetrySettings) throws -> RECON<Pose> {
        guard (2...offer.largestNeighbours).contains(settings.neighbours) else {
            throw SymmetryError.invalidSetting(
                name: "k", value: "\(settings.neighbours)",
                allowed: "2 to \(offer.largestNeighbours)")
        }
        let configuration = try RECONConfiguration(settings)
        var key = settings.metric.rawValue
        if case .component(let step) = settings.neighbourhood {
            key += "/\(settings.neighbours)/\(step)"
        }
        if let kept = lock.withLock({ engines[key] }) { return try kept.with(configuration) }
        let made = try RECON(training: found, configuration: configuration)
        lock.withLock { engines[key] = made }
        return made
    }

    /// What has looked at the bank twice; nil where the settings want one look. Family, estimator
    /// and rule do not matter to it.
    private func secondLook(
        _ settings: SymmetrySettings, cancellation: Cancellation = Cancellation()
    ) throws -> (any SecondLook<Input, Pose>)? {
        guard settings.look == .second, settings.neighbourhood == .nearest else { return nil }
        guard backend.looksTwice else { throw SymmetryError.notOffered("second look") }
        _ = try engine(settings)
        let key = "\(settings.metric.rawValue)/\(settings.neighbours)/\(settings.mean)"
        if let kept = lock.withLock({ secondLooks[key] }) { return kept }
        // Who waits for another's look can still be called off.
        while !looking.try() {
            try cancellation.check()
            Thread.sleep(forTimeInterval: 0.005)
        }
        defer { looking.unlock() }
        if let kept = lock.withLock({ secondLooks[key] }) { return kept }
        let made = try backend.secondLook(
            at: bank.inputs, found, configuration: try RECONConfiguration(settings),
            cancellation: cancellation)
        lock.withLock {
            // Each holds two small copies of every picture.
            if secondLooks.count > 3 { secondLooks.removeAll() }
            secondLooks[key] = made
        }
        return made
    }

    func prepare(settings: SymmetrySettings, cancellation: Cancellation) throws {
        _ = try secondLook(settings, cancellation: cancellation)
    }

    private func neighbours(
        of index: Int, _ entry: ClassPoses<Pose>, _ engine: RECON<Pose>,
        _ settings: SymmetrySettings
    ) -> ArraySlice<Int32> {
        let k = settings.neighbours
        let kept = lock.withLock { neighbourTables[settings.metric.rawValue] }
        if index >= 0, index < count, let kept, kept.k >= k { return kept[index].prefix(k) }
        let isOwn = index >= 0 && index < count
        let table = engine.neighbours(of: entry.embeddings, count: k + (isOwn ? 1 : 0))
        // An input is not its own neighbour; it need not come first among equals.
        return isOwn ? table[0].filter { Int($0) != index }.prefix(k) : table[0]
    }

    /// One input's distribution; `index` is nil for an input that is not in the bank.
    private func distribution(
        of index: Int?, _ entry: (input: Input, found: ClassPoses<Pose>),
        settings: SymmetrySettings
    ) throws -> (PoseDistribution<Pose>, [Int]) {
        let own = index.flatMap { $0 < count ? $0 : nil }
        if let second = try secondLook(settings) {
            let seen =
                try own.map(second.classOfTraining) ?? second.classOf(entry.input, entry.found)
            return (
                seen.distribution(
                    pose: entry.found.poses[0], configuration: try RECONConfiguration(settings)),
                seen.members.map(Int.init)
            )
        }
        let engine = try engine(settings)
        let nearest = neighbours(of: index ?? -1, entry.found, engine, settings)
        let members = engine.classMembers(nearest, ownIndex: own)
        return (
            engine.distribution(pose: entry.found.poses[0], members: members),
            members.map(Int.init)
        )
    }

    private func allDistributions(
        _ settings: SymmetrySettings, cancellation: Cancellation,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [PoseDistribution<Pose>] {
        if let kept = lock.withLock({ tables.first { $0.settings == settings } }) {
            return kept.distributions
        }
        let engine = try engine(settings)
        if let second = try secondLook(settings, cancellation: cancellation) {
            let configuration = try RECONConfiguration(settings)
            let all = try (0..<count).map { i in
                if i % 128 == 0 {
                    try cancellation.check()
                    progress(i, count)
                }
                return second.classOfTraining(i)
                    .distribution(pose: found.poses[i], configuration: configuration)
            }
            return keep(all, settings, progress: progress)
        }
        let k = settings.neighbours
        let metric = settings.metric.rawValue
        var table = lock.withLock { neighbourTables[metric] }
        if (table?.k ?? 0) < k {
            let made = engine.neighboursOfTraining()
            lock.withLock { neighbourTables[metric] = made }
            table = made
        }
        guard let table else { return [] }
        let all = try (0..<count).map { i in
            if i % 128 == 0 {
                try cancellation.check()
                progress(i, count)
            }
            return engine.distribution(
                pose: found.poses[i], neighbours: table[i].prefix(k), ownIndex: i)
        }
        return keep(all, settings, progress: progress)
    }

    private func keep(
        _ all: [PoseDistribution<Pose>], _ settings: SymmetrySettings,
        progress: (Int, Int) -> Void
    ) -> [PoseDistribution<Pose>] {
        progress(count, count)
        lock.withLock {
            tables.append((settings, all))
            if tables.count > 3 { tables.removeFirst() }
        }
        return all
    }

    // MARK: Answers

    func distribution(
        _ scope: SymmetryScope, settings: SymmetrySettings, cancellation: Cancellation
    ) throws -> SymmetryDistribution {
        switch scope {
        case .neighbours(let index):
            let entry = try entry(index)
            let (one, members) = try distribution(of: index, entry, settings: settings)
            let label = label(of: index)
            let purity = label.map { own in
                Double(members.count { self.label(of: $0) == own }) / Double(max(1, members.count))
            }
            return SymmetryDistribution(
                scope: scope, group: group, inputs: members, raw: one.poses.map(\.shown),
                corrected: one.centred.map(\.shown),
                fit: fit(one, noiseFloor: noiseFloor(one.poses, of: members, settings)),
                truth: truth(ofLabel: label), truthCenter: offset(ofLabel: label), purity: purity)
        case .input(let index):
            let entry = try entry(index)
            let (one, _) = try distribution(of: index, entry, settings: settings)
            return SymmetryDistribution(
                scope: scope, group: group, inputs: [index], raw: [entry.found.poses[0].shown],
                corrected: [one.pose.shown], fit: fit(one, noiseFloor: nil),
                truth: truth(ofLabel: label(of: index)),
                truthCenter: offset(ofLabel: label(of: index)))
        case .label, .all:
            let all = try allDistributions(settings, cancellation: cancellation)
            var members = Array(0..<count)
            var label: Int?
            if case .label(let wanted) = scope {
                label = wanted
                members = members.filter { self.label(of: $0) == wanted }
            }
            let corrected = members.map { all[$0].pose }
            let configuration = try RECONConfiguration(settings)
            let law = FittedLaw(fitting: corrected, configuration: configuration)
            let spread = Self.meanAngle(corrected)
            let concentration = Self.concentration(corrected, spread: spread)
            return SymmetryDistribution(
                scope: scope, group: group, inputs: members,
                raw: members.map { found.poses[$0].shown }, corrected: corrected.map(\.shown),
                fit: SymmetryFit(
                    law: law.shown(group), level: law.shown(group).level ?? law.level, center: nil,
                    concentration: concentration, isFullRotation: concentration < 0.1,
                    noiseFloor: noiseFloor(
                        members.map { all[$0].pose }, of: members, settings), spread: spread),
                truth: truth(ofLabel: label), truthCenter: offset(ofLabel: label))
        }
    }

    func row(of input: Int, settings: SymmetrySettings) throws -> SymmetryRow {
        let entry = try entry(input)
        return try row(input, entry, index: input, settings)
    }

    private func row(
        _ number: Int, _ entry: (input: Input, found: ClassPoses<Pose>), index: Int?,
        _ settings: SymmetrySettings
    ) throws -> SymmetryRow {
        if settings.path == .network, let answer = try backend.amortised(entry.input) {
            let centre = answer.centre ?? .identity
            let pose = entry.found.poses[0] * centre.inverse
            let level = answer.level ?? 180
            return SymmetryRow(
                input: number, pose: entry.found.poses[0].shown, corrected: pose.shown,
                level: level, center: answer.centre?.shown, outsideScore: pose.angle - level)
        }
        let (one, _) = try distribution(of: index, entry, settings: settings)
        return shownRow(number, one, entry.found.poses[0], settings)
    }

    private func shownRow(
        _ number: Int, _ one: PoseDistribution<Pose>, _ pose: Pose, _ settings: SymmetrySettings
    ) -> SymmetryRow {
        SymmetryRow(
            input: number, pose: pose.shown, corrected: one.pose.shown,
            level: one.isFullRotation ? 180 : one.law.shown(group).level ?? one.level,
            center: settings.mean == .none || one.isFullRotation ? nil : one.centre.shown,
            outsideScore: one.outOfDistributionScore)
    }

    func table(
        settings: SymmetrySettings, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws -> SymmetryTable {
        let all = try allDistributions(settings, cancellation: cancellation, progress: progress)
        let rows: [SymmetryRow]
        if settings.path == .network {
            rows = try all.indices.map { i in
                if i % 64 == 0 { try cancellation.check() }
                return try row(
                    i, (bank.inputs[i], found.rows(i..<(i + 1))), index: i, settings)
            }
        } else {
            rows = all.indices.map { shownRow($0, all[$0], found.poses[$0], settings) }
        }
        return SymmetryTable(rows: rows, figures: figures(rows, settings))
    }

    func shape(
        of input: Int, as form: SymmetryForm, settings: SymmetrySettings
    ) throws -> SymmetryShape {
        let entry = try entry(input)
        let label = label(of: input)
        func canonical() throws -> Input {
            guard let made = try backend.canonical(of: entry.input) else {
                throw SymmetryError.notOffered("decoder, so no canonical form")
            }
            return made
        }
        func one() throws -> PoseDistribution<Pose> {
            try distribution(of: input, entry, settings: settings).0
        }
        switch form {
        case .input: return backend.shape(of: entry.input, label: label)
        case .canonical: return backend.shape(of: try canonical(), label: label)
        case .naturalCanonical:
            return backend.shape(
                of: backend.rotated(try canonical(), by: try one().centre), label: label)
        case .reconstruction:
            return backend.shape(
                of: backend.rotated(try canonical(), by: entry.found.poses[0]), label: label)
        case .standardized:
            return backend.shape(
                of: backend.rotated(entry.input, by: try one().pose.inverse), label: label)
        case .orbit(let degrees):
            return backend.shape(
                of: backend.rotated(entry.input, by: Self.screenRotation(degrees)), label: label)
        case .neighbour(let place):
            let nearest = try distribution(of: input, entry, settings: settings).1
            guard nearest.indices.contains(place) else {
                throw SymmetryError.invalidSetting(
                    name: "neighbour", value: "\(place)", allowed: "0 to \(nearest.count - 1)")
            }
            let other = nearest[place]
            return backend.shape(of: bank.inputs[other], label: self.label(of: other))
        }
    }

    func response(
        of input: Int, to rotation: SymmetryPose, settings: SymmetrySettings
    ) throws -> SymmetryResponse {
        guard let turn = Pose(rotation) else {
            throw SymmetryError.notOffered("such a rotation")
        }
        let entry = try entry(input)
        let turned = backend.rotated(entry.input, by: turn)
        let after = try backend.classPoses(of: [turned], cancellation: Cancellation())
        let before = try row(input, entry, index: input, settings)
        let now = try row(input, (turned, after), index: nil, settings)
        var (difference, length) = (0.0, 0.0)
        for (a, b) in zip(after.embeddings[0], entry.found.embeddings[0]) {
            difference += Double(a - b) * Double(a - b)
            length += Double(b) * Double(b)
        }
        let corrected = Pose(now.corrected) ?? .identity
        return SymmetryResponse(
            rotation: rotation, row: now, poseChange: now.corrected * before.corrected.inverse,
            embeddingChange: length > 0 ? (difference / length).squareRoot() : 0,
            shape: backend.shape(of: turned, label: label(of: input)),
            standardized: backend.shape(
                of: backend.rotated(turned, by: corrected.inverse), label: label(of: input)))
    }

    // MARK: Pieces

    private static func screenRotation(_ degrees: Double) -> Pose {
        let pose: SymmetryPose =
            Pose.group == .so2
            ? .angle(degrees)
            : .rotation(SpaceRotation(axis: SIMD3(0, 0, 1), degrees: degrees))
        return Pose(pose) ?? .identity
    }

    private static func meanAngle(_ poses: [Pose]) -> Double {
        poses.isEmpty ? 0 : poses.reduce(0) { $0 + $1.angle } / Double(poses.count)
    }

    private static func concentration(_ poses: [Pose], spread: Double) -> Double {
        Pose.group == .so2 ? Pose.resultantLength(of: poses) : max(0, 1 - spread / 127)
    }

    private func fit(_ one: PoseDistribution<Pose>, noiseFloor: Double?) -> SymmetryFit {
        let law: SymmetryLaw =
            one.isFullRotation && group == .so3 ? .haar : one.law.shown(group)
        let spread = Self.meanAngle(one.centred)
        return SymmetryFit(
            law: law, level: law.level ?? one.level,
            center: one.centre == .identity ? nil : one.centre.shown,
            concentration: group == .so2
                ? one.resultantLength : Self.concentration(one.centred, spread: spread),
            isFullRotation: one.isFullRotation, noiseFloor: noiseFloor, spread: spread)
    }

    /// The level that is found when the known rotations are taken out of the poses: what noise of
    /// the poses and impure neighbours alone make.
    ///
    /// - Parameter poses: as they were found, in the order of the members.
    private func noiseFloor(
        _ poses: [Pose], of members: [Int], _ settings: SymmetrySettings
    ) -> Double? {
        guard let truth = bank.truth, !members.isEmpty,
            var configuration = try? RECONConfiguration(settings)
        else { return nil }
        // Without a centre in force the frame of the natural pose is not the identity's.
        if configuration.centre == .none { configuration.centre = .frechet }
        let still = zip(members, poses).prefix(500).map { truth[$0].inverse * $1 }
        let one = PoseDistribution(
            pose: .identity, neighbours: still, configuration: configuration)
        return one.law.shown(group).level ?? one.level
    }

    private func truth(ofLabel label: Int?) -> SymmetryLaw? {
        label.flatMap { bank.laws.indices.contains($0) ? bank.laws[$0] : nil }
    }

    private func offset(ofLabel label: Int?) -> SymmetryPose? {
        label.flatMap { bank.offsets.indices.contains($0) ? bank.offsets[$0].shown : nil }
    }

    /// Figures over the set; labels and true angles are read here and nowhere else.
    private func figures(_ rows: [SymmetryRow], _ settings: SymmetrySettings) -> [SymmetryFigure] {
        var figures = [
            SymmetryFigure(
                "mean level", rows.reduce(0) { $0 + $1.level } / Double(rows.count), unit: "°"),
            SymmetryFigure(
                "outside",
                100 * Double(rows.count { $0.isOutside }) / Double(rows.count), unit: "%"),
            SymmetryFigure(
                group == .so2 ? "collapsed vectors" : "undetermined frames",
                100 * Double(found.deadVectors) / Double(count), unit: "%"),
        ]
        if !labelNames.isEmpty, let purity = purity(settings) {
            figures.append(SymmetryFigure("neighbour purity", 100 * purity, unit: "%"))
        }
        if let truth = bank.truth {
            let errors = rows.map { row in
                (Pose(row.corrected) ?? .identity).distance(to: truth[row.input])
            }.sorted()
            let raw = truth.indices.map { found.poses[$0].distance(to: truth[$0]) }.sorted()
            figures.append(
                SymmetryFigure("pose error, median", errors[errors.count / 2], unit: "°"))
            figures.append(SymmetryFigure("raw pose error, median", raw[raw.count / 2], unit: "°"))
        }
        if let error = symmetryError(rows) {
            figures.append(SymmetryFigure("symmetry error", error.means, unit: "°"))
            figures.append(SymmetryFigure("level error per input", error.samples, unit: "°"))
        }
        return figures
    }

    /// The share of neighbours with their input's label; nil before all neighbours were found.
    private func purity(_ settings: SymmetrySettings) -> Double? {
        let second = (try? secondLook(settings)) ?? nil
        let table = lock.withLock { neighbourTables[settings.metric.rawValue] }
        guard second != nil || table != nil else { return nil }
        var (same, all) = (0, 0)
        for i in 0..<count {
            let own = label(of: i)
            let members =
                second?.classOfTraining(i).members[...] ?? table?[i].prefix(settings.neighbours)
                ?? []
            same += members.count { label(of: Int($0)) == own }
            all += members.count
        }
        return all > 0 ? Double(same) / Double(all) : nil
    }

    /// Mean over labels of |mean level − true level|, and mean over inputs of |level − true level|.
    private func symmetryError(_ rows: [SymmetryRow]) -> (means: Double, samples: Double)? {
        let levels = bank.laws.map(\.level)
        guard !levels.isEmpty, group == .so2 else { return nil }
        var sums = [Double](repeating: 0, count: levels.count)
        var counts = [Int](repeating: 0, count: levels.count)
        var (samples, total) = (0.0, 0)
        for row in rows {
            guard let label = label(of: row.input), levels.indices.contains(label),
                let level = levels[label]
            else { continue }
            sums[label] += row.level
            counts[label] += 1
            samples += abs(row.level - level)
            total += 1
        }
        guard total > 0 else { return nil }
        let present = counts.indices.filter { counts[$0] > 0 }
        let means = present.reduce(0) {
            $0 + abs(sums[$1] / Double(counts[$1]) - (levels[$1] ?? 0))
        }
        return (means / Double(present.count), samples / Double(total))
    }
}
