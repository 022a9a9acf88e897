BEGIN TRANSACTION;
CREATE TABLE attempt (
  trial integer not null references trial (id),
  number integer not null,                 -- from 0
  session integer not null,                -- which opening of the run started it
  state text not null,                     -- 'running' until an outcome arrives; 'abandoned' if none ever will
  started real not null,
  ended real,
  epochs integer not null default 0,
  seconds real,
  history text not null default '{}',      -- metric -> one value an epoch (null where not finite)
  message text not null default '',
  details text not null default '{}',
  primary key (trial, number)
) strict;
INSERT INTO "attempt" VALUES(0,0,1,'ok',1.79545572619027686122e+09,1.79545572619652509687e+09,3,0.0,'{"loss":[1.7523390378272068,1.5052238895101115,1.30517357949013],"val_loss":[1.947043375363563,1.6724709883445683,1.4501928661001444],"val_accuracy":[0.5132391561591092,0.5818822529138579,0.6374517834749639]}','','{}');
INSERT INTO "attempt" VALUES(1,0,1,'ok',1.79545572619078826906e+09,1.7954557262116005421e+09,3,0.0,'{"loss":[1.4563058773902169,1.2412338955117308,1.0817155492941368],"val_loss":[1.6181176415446854,1.379148772790812,1.2019061658823742],"val_accuracy":[0.5954705896138286,0.655212806802297,0.6995234585294064]}','','{}');
INSERT INTO "attempt" VALUES(2,0,1,'ok',1.79545572619820141798e+09,1.79545572623846650122e+09,3,0.0,'{"loss":[1.3046898194417338,1.0449296878171164,0.8738702274122782],"val_loss":[1.4496553549352598,1.1610329864634625,0.9709669193469757],"val_accuracy":[0.6375861612661851,0.7097417533841344,0.7572582701632561]}','','{}');
INSERT INTO "attempt" VALUES(3,0,1,'ok',1.79545572622340750693e+09,1.79545572625084424011e+09,3,0.0,'{"loss":[1.6360768253203208,1.3798448630177673,1.225555441268652],"val_loss":[1.8178631392448008,1.5331609589086304,1.36172826807628],"val_accuracy":[0.5455342151887999,0.6167097602728424,0.6595679329809301]}','','{}');
INSERT INTO "attempt" VALUES(5,0,1,'ok',1.79545572625602293018e+09,1.79545572627276468283e+09,3,0.0,'{"loss":[1.7018910274430565,1.4574201606513728,1.2790613340565558],"val_loss":[1.890990030492285,1.6193557340570808,1.4211792600628397],"val_accuracy":[0.5272524923769287,0.5951610664857299,0.6447051849842901]}','','{}');
INSERT INTO "attempt" VALUES(7,0,1,'ok',1.79545572625645279887e+09,1.79545572625918483733e+09,3,0.0,'{"loss":[1.925608394838454,1.6733040976426754,1.5286272011981632],"val_loss":[2.1395648831538376,1.859226775158528,1.698474667997959],"val_accuracy":[0.4651087792115406,0.535193306210368,0.5753813330005102]}','','{}');
INSERT INTO "attempt" VALUES(8,0,1,'diverged',1.79545572626748013494e+09,1.79545572626831674576e+09,1,0.0,'{"loss":[null]}','the loss was inf in epoch 1','{}');
INSERT INTO "attempt" VALUES(9,0,1,'running',1.79545572629216194154e+09,NULL,0,NULL,'{}','','{}');
CREATE TABLE event (
  id integer primary key,
  at real not null,
  kind text not null,
  detail text not null
) strict;
INSERT INTO "event" VALUES(1,1.79545572617716217038e+09,'opened','{"session":1}');
CREATE TABLE file (
  path text primary key,                   -- relative to the run directory, with forward slashes
  sha256 text not null,
  trial integer references trial (id)
) strict;
INSERT INTO "file" VALUES('data/x_train.npy','e3ed1f5f725ce59e6cba53b8989372477fef7181d07e426de08b0f58e2e07950',NULL);
INSERT INTO "file" VALUES('data/y_train.npy','afd8f55895b52e716cf04de3f336c82c000da160dce874c4bae5a896ff7e1740',NULL);
INSERT INTO "file" VALUES('data/x_validation.npy','d9cbe537f5eb27e8b3a308c121f7148dc2db441cf7930ef3ac5c6371b0cd5a4a',NULL);
INSERT INTO "file" VALUES('data/y_validation.npy','6946d8adac78ddaa9e5c57f203695baa616e7ae6604efb69366f6a987ac63794',NULL);
INSERT INTO "file" VALUES('data/test/x.npy','dae4a1935d0a57d55eb3976fd55d989f5fb7e92467dc0921a13ed2172362344b',NULL);
INSERT INTO "file" VALUES('data/test/y.npy','34bbc7d660bd107317872dd19491e1a6d98e4072aea52372953366f5eb2b1fc6',NULL);
INSERT INTO "file" VALUES('weights/00000.npz','41d7f5040244d67affa6127c134ed2ebf43acf1e9816f56a253516074e9459e3',0);
INSERT INTO "file" VALUES('checkpoints/00000.npz','7386cc51f41bc94b256c850c47c4889293f746df45d3c56bdb4c9aa54abe2403',0);
INSERT INTO "file" VALUES('weights/00001.npz','06b82ee9007665579fb5b1aedcc05cbf440bc91c1e83c77f8026b8027f5eedc2',1);
INSERT INTO "file" VALUES('checkpoints/00001.npz','8b930ceefe2d2ef2e39f4b13cd66ad4ab28d041aa92d8239372b425471a31016',1);
INSERT INTO "file" VALUES('weights/00002.npz','a4c7ba469325f3c2d739f74e0aa5906ccf761c835b6145c3c602f5a2997b6392',2);
INSERT INTO "file" VALUES('checkpoints/00002.npz','65bf93945a2d0f52531a2691babd29ce84e539bd6e9a49529908c97bb4e589be',2);
INSERT INTO "file" VALUES('weights/00003.npz','dffb4290de3810d16f3ec11f0b35ef8329892398cf6d1e7dc6330ae53afe8ab5',3);
INSERT INTO "file" VALUES('checkpoints/00003.npz','136408286c6edc735faf18b74004643ccce5be864e61a21eb61cac83762a3b5b',3);
INSERT INTO "file" VALUES('weights/00007.npz','872167faec03f4ac8920633fd46d178afac68bb7be3f4d93c0970b23d4eae595',7);
INSERT INTO "file" VALUES('checkpoints/00007.npz','3520b94014bd1f89b818775f77ac9c7b7d9b8a9f4f489f79dac3abb63ec9f550',7);
INSERT INTO "file" VALUES('weights/00005.npz','0172a9bbb96343c4431367576775334087a2c36fbf2525d6126ebb948df599fe',5);
INSERT INTO "file" VALUES('checkpoints/00005.npz','5ccf47657770f4420a638da81b431c2ff9b9c644cfea01e57df74cffe3895f1a',5);
CREATE TABLE meta (
  key text primary key,
  value text not null                      -- JSON
) strict;
INSERT INTO "meta" VALUES('config','{"space":"./small.yaml","data":{"name":null,"path":"@FOLDER@/data.npz","task":"classification","split_seed":0,"validation":0.2,"test":0.2},"budget":{"trials":12},"run":"stub","seed":0,"objective":{"name":"val_loss","direction":"min"},"strategy":{"evolution":{"population":5,"seeds":[],"selection":{"tournament":{"size":3}},"crossover":{"uniform":{"rate":0.25}},"mutation":{"rate":0.5,"edits":1,"settings":0.25,"operators":{},"adaptation":{"fixed":{}}},"replacement":{"elitist":{"elites":1}}}},"training":{"epochs":3,"patience":4},"limits":{"parameters":null,"flops":null,"seconds":null},"pool":{"local":{"workers":2,"devices":"cpu","threads":1}},"look_ahead":5,"max_twins_in_a_row":100,"max_failures_in_a_row":20,"plugins":[]}');
INSERT INTO "meta" VALUES('config_file','"@FOLDER@/stub.yaml"');
INSERT INTO "meta" VALUES('space','"\nspace: small\ninput: vector\nnetwork:\n  layers:\n    length: [1, 2]\n    ops:\n      dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}\nsettings:\n  optimizer: {ops: {adam: {learning_rate: {choice: [0.1, 0.01]}}}}\n  training: {ops: {training: {batch_size: 16}}}\n"');
INSERT INTO "meta" VALUES('seeds','{}');
INSERT INTO "meta" VALUES('interface','{"kind":"vector","shape":[4],"task":"classification","classes":[0,1,2],"mean":[0.1778099123103958,0.06073375398086177,-0.33668108452628887,-0.12195486585713095],"variance":[0.8565664600720543,0.8659046965287029,0.8206141717060923,1.3027526223185015],"target_mean":0.0,"target_scale":1.0}');
INSERT INTO "meta" VALUES('counts','{"train":36,"validation":12,"test":12}');
INSERT INTO "meta" VALUES('fingerprint','"2bafa38b1ab9631864148a352cac79d8a2f62cc454d085f5b46bcd51f36294ab"');
INSERT INTO "meta" VALUES('data_files','{"data/x_train.npy":"e3ed1f5f725ce59e6cba53b8989372477fef7181d07e426de08b0f58e2e07950","data/y_train.npy":"afd8f55895b52e716cf04de3f336c82c000da160dce874c4bae5a896ff7e1740","data/x_validation.npy":"d9cbe537f5eb27e8b3a308c121f7148dc2db441cf7930ef3ac5c6371b0cd5a4a","data/y_validation.npy":"6946d8adac78ddaa9e5c57f203695baa616e7ae6604efb69366f6a987ac63794","data/test/x.npy":"dae4a1935d0a57d55eb3976fd55d989f5fb7e92467dc0921a13ed2172362344b","data/test/y.npy":"34bbc7d660bd107317872dd19491e1a6d98e4072aea52372953366f5eb2b1fc6"}');
INSERT INTO "meta" VALUES('versions','{"python":"3.11.7","evonas":"0.1.0","tensorflow":"2.21.0","keras":"3.15.1","numpy":"2.4.6","deap":"1.4.4"}');
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('session','1');
INSERT INTO "meta" VALUES('sealed','false');
INSERT INTO "meta" VALUES('strategy','{"generation":2,"asked":4,"told":[],"population":[2,5,7]}');
CREATE TABLE trial (
  id integer primary key,                  -- from 0, in the order of proposals
  genome text not null,                    -- Genome.to_dict()
  digest text not null,
  epochs integer not null,                 -- fidelity
  repeat integer not null,
  operator text not null,
  parents text not null,                   -- ids, the main parent first
  generation integer not null,
  resume_from integer references trial (id),
  twin_of integer references trial (id),
  state text not null,
  value real,                              -- of the objective; null unless ok
  metrics text not null,
  told integer not null,                   -- whether the strategy knows; always the first so many
  told_before integer not null             -- how many were told when this one was asked
) strict;
INSERT INTO "trial" VALUES(0,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.1},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','11fdb65948788201',3,0,'sample','[]',0,NULL,NULL,'ok',1.45019286610014441762e+00,'{"loss":1.30517357949013,"val_loss":1.4501928661001444,"val_accuracy":0.6374517834749639,"parameters":72866.0,"flops":1296779.072435001}',1,0);
INSERT INTO "trial" VALUES(1,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":4},"inputs":[],"innovation":1}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','a57a49e995fa5e1d',3,0,'sample','[]',0,NULL,NULL,'ok',1.20190616588237420003e+00,'{"loss":1.0817155492941368,"val_loss":1.2019061658823742,"val_accuracy":0.6995234585294064,"parameters":82520.0,"flops":1410058.5360784591}',1,0);
INSERT INTO "trial" VALUES(2,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','4210cd1433c2fde8',3,0,'sample','[]',0,NULL,NULL,'ok',9.70966919346975654292e-01,'{"loss":0.8738702274122782,"val_loss":0.9709669193469757,"val_accuracy":0.7572582701632561,"parameters":95863.0,"flops":1372741.2400764544}',1,0);
INSERT INTO "trial" VALUES(3,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','59ae8ead1af48736',3,0,'sample','[]',0,NULL,NULL,'ok',1.36172826807628,'{"loss":1.225555441268652,"val_loss":1.36172826807628,"val_accuracy":0.6595679329809301,"parameters":93390.0,"flops":1416354.1607191127}',1,0);
INSERT INTO "trial" VALUES(4,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','59ae8ead1af48736',3,0,'sample','[]',0,NULL,3,'ok',1.36172826807628,'{"loss":1.225555441268652,"val_loss":1.36172826807628,"val_accuracy":0.6595679329809301,"parameters":93390.0,"flops":1416354.1607191127}',1,0);
INSERT INTO "trial" VALUES(5,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":2},{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":1}],"optimizer":[{"op":"adam","params":{"learning_rate":0.1},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','c1b77ce82948b707',3,0,'swap','[0]',1,NULL,NULL,'ok',1.42117926006283967765e+00,'{"loss":1.2790613340565558,"val_loss":1.4211792600628397,"val_accuracy":0.6447051849842901,"parameters":99174.0,"flops":1785280.1272357225}',1,5);
INSERT INTO "trial" VALUES(6,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":2},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','59ae8ead1af48736',3,0,'crossover+swap','[2,1]',1,NULL,3,'ok',1.36172826807628,'{"loss":1.225555441268652,"val_loss":1.36172826807628,"val_accuracy":0.6595679329809301,"parameters":93390.0,"flops":1416354.1607191127}',1,5);
INSERT INTO "trial" VALUES(7,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":8},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','51f5dd5525b088b7',3,0,'perturb','[2]',1,NULL,NULL,'ok',1.69847466799795898673e+00,'{"loss":1.5286272011981632,"val_loss":1.698474667997959,"val_accuracy":0.5753813330005102,"parameters":84158.0,"flops":1136297.5600543804}',1,5);
INSERT INTO "trial" VALUES(8,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"tanh","units":8},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','e767eef1cad21857',3,0,'perturb','[2]',1,NULL,NULL,'diverged',NULL,'{"parameters":89967.0,"flops":1258700.3033032075}',1,5);
INSERT INTO "trial" VALUES(9,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','21dddd20c41a22a6',3,0,'remove','[2]',2,NULL,NULL,'waiting',NULL,'{}',0,9);
INSERT INTO "trial" VALUES(10,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.1},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','11fdb65948788201',3,0,'swap','[5]',2,NULL,0,'waiting',NULL,'{}',0,9);
INSERT INTO "trial" VALUES(11,'{"layers":[{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1},{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":2}],"optimizer":[{"op":"adam","params":{"learning_rate":0.1},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','c1b77ce82948b707',3,0,'perturb','[2]',2,NULL,5,'waiting',NULL,'{}',0,9);
INSERT INTO "trial" VALUES(12,'{"layers":[{"op":"dense","params":{"activation":"relu","units":8},"inputs":[],"innovation":2},{"op":"dense","params":{"activation":"tanh","units":16},"inputs":[],"innovation":1}],"optimizer":[{"op":"adam","params":{"learning_rate":0.01},"inputs":[],"innovation":1}],"training":[{"op":"training","params":{},"inputs":[],"innovation":1}]}','59ae8ead1af48736',3,0,'swap','[2]',2,NULL,3,'waiting',NULL,'{}',0,9);
CREATE INDEX trial_twin on trial (digest, epochs, repeat);
COMMIT;
