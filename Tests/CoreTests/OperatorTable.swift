// The operator table: every operator of the catalogue has rows here. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

/// All rows; a file `OperatorTable+<Family>.swift` holds those of one family.
enum OperatorTable {
    static let rows: [OperatorRow] = [
        arithmetic, functions, reductions, layout, products, convolutions, fusedConvolutions,
        planes, normalizations,
        softmaxes, losses, attentions, rowsByIndex, dropouts, fields,
    ].flatMap { $0 }
}

@Suite struct OperatorTableTests {
    @Test(arguments: OperatorTable.rows)
    func agreesWithTheOracle(row: OperatorRow) { row.check() }

    @Test func everyOperatorHasARow() {
        let tested = Set(OperatorTable.rows.map(\.name))
        let missing = OperatorCatalogue.all.filter { !tested.contains($0) }
        #expect(missing.isEmpty, "operators without a row: \(missing)")
    }
}
