/* sifive_u starts hart 0, a monitor core, beside hart 1: only hart 1 runs the firmware. Linked first. */
        .section .start.park, "ax"
        .option norvc
        .global sifive_park
sifive_park:
        csrr t0, mhartid
        li   t1, 1
        beq  t0, t1, go
park:
        wfi
        j    park
go:
        tail start
