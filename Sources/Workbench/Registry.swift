// The one place that lists the systems. SPDX-License-Identifier: Apache-2.0
import Core
import Models

/// Which systems this program knows.
enum Registry {
    /// What recipes can train, by their `system`.
    static let trainingSystems: [any TrainingSystem] = TrainingSystems.all

    /// What loads models from cards.
    static let loaders: [any ModelLoader] = [HMARLoader(), SymmetryLoader()]

    /// What `workbench forward` can run.
    static let forwardEntries: [any ForwardEntry] = ForwardEntries.all

    /// The forward entry of a name.
    ///
    /// - Throws: `ForwardError.unknownEntry`.
    static func forwardEntry(named name: String) throws -> any ForwardEntry {
        if let found = forwardEntries.first(where: { $0.name == name }) { return found }
        throw ForwardError.unknownEntry(
            name: name, nearest: nearestName(to: name, among: forwardEntries.map(\.name)))
    }

    /// The system of a recipe.
    ///
    /// - Throws: `InputError` naming the nearest known system.
    static func trainingSystem(named name: String, recipe: String) throws -> any TrainingSystem {
        if let found = trainingSystems.first(where: { $0.name == name }) { return found }
        let names = trainingSystems.map(\.name)
        let hint = nearestName(to: name, among: names).map { "; did you mean \($0)?" } ?? "."
        throw InputError(
            "\(recipe): system = \"\(name)\" is not one that can be trained "
                + "(\(names.joined(separator: ", ")))\(hint)")
    }
}
