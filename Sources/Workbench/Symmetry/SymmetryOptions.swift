// Options of everything that asks about symmetry. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

extension SymmetryMetric: ExpressibleByArgument {}
extension SymmetryEstimator: ExpressibleByArgument {}
extension SymmetryFamily: ExpressibleByArgument {}
extension SymmetryPath: ExpressibleByArgument {}
extension SymmetryLook: ExpressibleByArgument {}

/// The model and the inputs it is asked about.
struct SymmetrySourceOptions: ParsableArguments {
    @Argument(help: "The model's name, as `workbench models` lists it.")
    var model: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A construction: `workbench symmetry sets MODEL` lists them; the model's first when "
                + "neither this nor --folder is given.", valueName: "name"))
    var construction: String?

    @Option(
        help: ArgumentHelp(
            "Your own folder of pictures, meshes (PLY, OBJ, OFF), molecules or point lists (.xyz) "
                + "instead; subfolders are classes.", valueName: "dir"))
    var folder: String?

    @Option(help: ArgumentHelp("The folder with a construction's source files.", valueName: "dir"))
    var data: String?

    @Option(help: "Inputs of the construction; its own number when left out.")
    var count: Int?

    @Option(help: "The seed of the construction.")
    var seed: UInt64 = 0

    /// Loads the model.
    ///
    /// - Throws: `InputError` for models of other kinds.
    func load(_ common: CommonOptions, _ interrupt: Interrupt) throws -> any SymmetryDiscovering {
        let loaded = try ModelAccess(common).load(model, cancellation: interrupt.cancellation)
        guard let found = loaded as? any SymmetryDiscovering else {
            throw InputError(
                "\(model) finds no symmetries; `workbench models` lists those of the system "
                    + "symmetry.")
        }
        return found
    }

    /// The source that the options name.
    func source(of model: any SymmetryDiscovering) throws -> SymmetrySource {
        if let folder {
            if construction != nil {
                throw InputError("--set and --folder name two sources; give one of them.")
            }
            return .folder(folder)
        }
        let known = model.constructions
        guard let name = construction ?? known.first?.name else {
            throw InputError("\(self.model) has no construction; name a --folder.")
        }
        let standard = known.first { $0.name == name }?.defaultCount ?? 3000
        let count = count ?? standard
        guard (3...1_000_000).contains(count) else {
            throw InputError("--count is \(count); give 3 to 1000000.")
        }
        return .construction(name: name, folder: data, count: count, seed: seed)
    }

    /// Reads or makes the inputs and embeds them.
    func open(
        _ model: any SymmetryDiscovering, _ common: CommonOptions, _ interrupt: Interrupt
    ) throws -> any SymmetrySession {
        let line = SharedProgress(common)
        defer { line.clear() }
        return try model.openSymmetry(
            try source(of: model), cancellation: interrupt.cancellation
        ) { done, total, phase in line.show("\(phase)  \(done)/\(total)") }
    }
}

/// How symmetries are found; what is left out is as the model was made for.
struct SymmetrySettingsOptions: ParsableArguments {
    @Option(name: .customShort("k"), help: "Neighbours of every input.")
    var neighbours: Int?

    @Option(help: "Distance of embeddings.")
    var metric: SymmetryMetric?

    @Option(help: "How a level is read off the poses.")
    var estimator: SymmetryEstimator?

    @Option(
        help: ArgumentHelp(
            "What poses are centred by: none, frechet, tukey, or tukey:C with C in degrees.",
            valueName: "mean"))
    var mean: String?

    @Option(help: "The family of laws that is fitted.")
    var family: SymmetryFamily?

    @Option(help: "Bandwidth of the empirical density in degrees.")
    var bandwidth: Double?

    @Option(
        help: ArgumentHelp(
            "When a pose is outside: support, or density:Q with a quantile such as 0.02.",
            valueName: "rule"))
    var outside: String?

    @Option(
        help: ArgumentHelp(
            "Take connected components under steps shorter than this as classes.",
            valueName: "step"))
    var component: Double?

    @Option(help: "Who answers: neighbours in the bank, or the amortised network.")
    var path: SymmetryPath?

    @Option(
        help: ArgumentHelp(
            "Which inputs make up a class: first takes the nearest embeddings; second turns the "
                + "pictures of more candidates until they fit and takes the most alike.",
            valueName: "look"))
    var look: SymmetryLook?

    /// Says on standard error what to know before the answers are believed; nothing where k was
    /// chosen by hand.
    func explain(_ session: any SymmetrySession, _ common: CommonOptions) {
        guard neighbours == nil, !common.quiet, let notice = session.offer.notice else { return }
        Output.note(notice)
    }

    /// The session's settings with the options in their place.
    ///
    /// - Throws: `InputError`.
    func settings(_ session: any SymmetrySession) throws -> SymmetrySettings {
        let defaults = session.offer.defaults
        var settings = defaults
        settings.neighbours = neighbours ?? defaults.neighbours
        settings.metric = metric ?? defaults.metric
        settings.estimator = estimator ?? defaults.estimator
        settings.family = family ?? estimator.map(Self.family) ?? defaults.family
        settings.bandwidth = bandwidth ?? defaults.bandwidth
        settings.path = path ?? defaults.path
        settings.look = look ?? defaults.look
        guard session.offer.looks.contains(settings.look) else {
            throw InputError(
                "--look \(settings.look.rawValue) needs pictures; these inputs have the first look "
                    + "alone.")
        }
        if let component { settings.neighbourhood = .component(step: component) }
        if let mean {
            switch mean.split(separator: ":").map(String.init) {
            case ["none"]: settings.mean = .none
            case ["frechet"]: settings.mean = .frechet
            case ["tukey"]: settings.mean = .tukey(c: nil)
            case let parts where parts.count == 2 && parts[0] == "tukey" && Double(parts[1]) != nil:
                settings.mean = .tukey(c: Double(parts[1]))
            default:
                throw InputError(
                    "--mean \(mean) is not known; give none, frechet, tukey or tukey:DEGREES.")
            }
        }
        if let outside {
            switch outside.split(separator: ":").map(String.init) {
            case ["support"]: settings.outside = .support
            case let parts where parts.count == 2 && parts[0] == "density":
                guard let quantile = Double(parts[1]), (0...0.5).contains(quantile) else {
                    fallthrough
                }
                settings.outside = .density(quantile: quantile)
            default:
                throw InputError(
                    "--outside \(outside) is not known; give support or density:QUANTILE "
                        + "(0 to 0.5).")
            }
        }
        return settings
    }

    /// The law that an estimator's level is a parameter of.
    private static func family(_ estimator: SymmetryEstimator) -> SymmetryFamily {
        switch estimator {
        case .mle, .mleOutliers, .moments, .momentsOutliers: .uniform
        case .gaussianHalfNormal, .gaussianHalfNormalOutliers, .gaussian: .gaussian
        case .cyclic: .cyclic
        }
    }
}

/// A progress line that closures on any thread can share.
final class SharedProgress: @unchecked Sendable {
    private let lock = NSLock()
    private var line: ProgressLine

    init(_ common: CommonOptions) {
        line = ProgressLine(common.progress, quiet: common.quiet)
    }

    func show(_ text: String) { lock.withLock { line.show(text) } }
    func clear() { lock.withLock { line.clear() } }
}
